"""Which answers are chosen for review: by which rule, each once, of the companies that want it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations.feedback import give_feedback
from conversations.inbox import labels, triage
from conversations.intake import ask_for_person
from conversations.models import Conversation, Giver, Message, Reply
from helpdesk.facts.kinds import SYSTEM
from helpdesk.facts.models import Fact
from helpdesk.pending.models import Kind, OpenWork
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from reviews.models import ReviewItem, ReviewRules
from reviews.rules import change_rules
from reviews.sampling import falls_in, sample
from reviews.tasks import sample_answers
from tests.factories import make_tenant
from tests.integration.reviews.rows import make_answer
from tracing.forget import forget_conversation
from tracing.models import Trace

pytestmark = pytest.mark.django_db
NOTHING = {
    "is_on": True, "on_thumbs_down": False, "on_hand_off": False, "on_low_confidence": False, "random_percent": 0,
    "second_percent": 0,
}  # fmt: skip


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def rule(tenant: Tenant, **values: Any) -> None:
    with tenant_atomic(tenant.id):
        change_rules(values=NOTHING | values)


def queue(tenant: Tenant) -> list[tuple[uuid.UUID, str]]:
    with tenant_atomic(tenant.id):
        return list(ReviewItem.objects.order_by("rank", "answered_at").values_list("reply_id", "sampled_for"))


def rate_down(tenant: Tenant, trace: Trace) -> None:
    with tenant_atomic(tenant.id):
        message = Message.objects.get(answer_to=trace.reply_id)
    give_feedback(tenant_id=tenant.id, message_id=message.id, rating="down", given_by=Giver.API)


def test_each_rule_chooses_what_it_says(tenant: Tenant) -> None:
    quiet, rated, labelled, handed = (make_answer(tenant) for _ in range(4))
    rate_down(tenant, rated)
    with tenant_atomic(tenant.id):
        visitor = Conversation.objects.get(id=handed.conversation_id).visitor_id
        label = labels.create_label(name="Billing", colour="grey", actor=SYSTEM)
        triage.add_label([labelled.conversation_id], label_id=label.id, actor=SYSTEM)
    ask_for_person(tenant_id=tenant.id, visitor_id=visitor, language="en")
    cases = {
        "on_thumbs_down": (True, [(rated.reply_id, "thumbs_down")]),
        "on_hand_off": (True, [(handed.reply_id, "hand_off")]),
        "label_id": (label.id, [(labelled.reply_id, "label")]),
    }
    for name, (value, expected) in cases.items():
        with tenant_atomic(tenant.id):
            ReviewRules.objects.all().delete()
            ReviewItem.objects.all().delete()
        rule(tenant, **{name: value})
        sample(tenant.id)
        assert queue(tenant) == expected, name
    rule(tenant, random_percent=100)
    with tenant_atomic(tenant.id):
        ReviewRules.objects.update(sampled_until=None)
    sample(tenant.id)
    assert {reply for reply, _ in queue(tenant)} == {each.reply_id for each in (quiet, rated, labelled, handed)}


def test_low_confidence_is_what_people_see_as_low(tenant: Tenant) -> None:
    low, declined, high = (make_answer(tenant) for _ in range(3))
    with tenant_atomic(tenant.id):
        Trace.objects.filter(id=low.id).update(confidence_band="low")
        Trace.objects.filter(id=declined.id).update(confidence_band="low", outcome="refused", kind="refusal")
        Trace.objects.filter(id=high.id).update(confidence_band="high")
    rule(tenant, on_low_confidence=True)
    sample(tenant.id)
    assert queue(tenant) == [(low.reply_id, "low_confidence")]


def test_looking_again_adds_nothing_and_a_stronger_reason_moves_up(tenant: Tenant) -> None:
    first, second = make_answer(tenant), make_answer(tenant)
    rule(tenant, random_percent=100, on_thumbs_down=True)
    assert (sample(tenant.id), sample(tenant.id)) == (2, 0)
    rate_down(tenant, second)
    assert sample(tenant.id) == 0
    assert queue(tenant) == [(second.reply_id, "thumbs_down"), (first.reply_id, "random")]


def test_small_talk_other_channels_and_deleted_conversations_are_left_out(tenant: Tenant) -> None:
    make_answer(tenant, kind=None)
    batch, deleted = make_answer(tenant), make_answer(tenant)
    with tenant_atomic(tenant.id):
        Conversation.objects.filter(id=batch.conversation_id).update(channel="batch")
        forget_conversation(deleted.conversation_id)
    rule(tenant, random_percent=100)
    assert (sample(tenant.id), queue(tenant)) == (0, [])


def test_another_companys_answers_stay_its_own(tenant: Tenant) -> None:
    make_answer(make_tenant())
    rule(tenant, random_percent=100)
    assert (sample(tenant.id), queue(tenant)) == (0, [])


def test_the_sweep_serves_companies_that_switched_it_on_as_long_as_they_do(tenant: Tenant) -> None:
    other = make_tenant()
    make_answer(tenant)
    make_answer(other)
    rule(tenant, random_percent=100)
    sample_answers()
    sample_answers()
    assert (len(queue(tenant)), queue(other)) == (1, [])
    assert OpenWork.objects.filter(kind=Kind.REVIEWS, tenant=tenant).exists()
    rule(tenant, is_on=False, random_percent=100)
    make_answer(tenant)
    sample_answers()
    assert len(queue(tenant)) == 1
    assert not OpenWork.objects.filter(kind=Kind.REVIEWS).exists()


def test_a_company_that_was_away_is_caught_up_with_in_steps(tenant: Tenant) -> None:
    old, recent = make_answer(tenant), make_answer(tenant)
    rule(tenant, random_percent=100)
    with tenant_atomic(tenant.id):
        ReviewRules.objects.update(sampled_until=timezone.now() - timedelta(days=40))
        Trace.objects.filter(id=old.id).update(created_at=timezone.now() - timedelta(days=39))
    assert sample(tenant.id) == 2
    assert {reply for reply, _ in queue(tenant)} == {old.reply_id, recent.reply_id}


def test_chance_is_the_answers_own_and_the_second_reviews_is_another(tenant: Tenant) -> None:
    ids = [uuid.uuid4() for _ in range(4000)]
    chosen = [each for each in ids if falls_in(each, 25)]
    twice = [each for each in chosen if falls_in(each, 50, purpose=1)]
    assert 0.21 < len(chosen) / len(ids) < 0.29
    assert 0.42 < len(twice) / len(chosen) < 0.58
    assert not any(falls_in(each, 0) for each in ids)
    assert all(falls_in(each, 100) for each in ids)


def test_changing_the_rules_is_a_fact_and_no_change_is_none(tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        assert change_rules(values={"random_percent": 7})
        assert not change_rules(values={"random_percent": 7})
        assert list(Fact.objects.filter(kind="review_rules.changed").values_list("data", flat=True)) == [
            {"settings": 1}
        ]


def test_sampling_needs_no_reply_row_twice(tenant: Tenant) -> None:
    trace = make_answer(tenant)
    rule(tenant, random_percent=100, on_thumbs_down=True, on_hand_off=True)
    rate_down(tenant, trace)
    with tenant_atomic(tenant.id):
        visitor = Conversation.objects.get(id=trace.conversation_id).visitor_id
    ask_for_person(tenant_id=tenant.id, visitor_id=visitor, language="en")
    assert (sample(tenant.id), queue(tenant)) == (1, [(trace.reply_id, "thumbs_down")])
    with tenant_atomic(tenant.id):
        assert Reply.objects.filter(review_item__isnull=False).count() == 1

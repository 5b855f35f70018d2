"""One answer after another: who gets which, the second opinion, disagreements, and two people at once."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from helpdesk.errors import Forbidden, GlassdeskError, InvalidInput, NotFound
from helpdesk.facts.models import Fact
from helpdesk.permissions import RIGHTS, Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import acting_with
from reviews import domain
from reviews.domain import Judgement
from reviews.errors import CauseMissing, ReviewedMeanwhile
from reviews.models import Review, ReviewItem, SampledFor
from tests.factories import make_tenant, make_user
from tests.integration.reviews.rows import GOOD, MISREAD, TONE, judge, make_item, now, reviewer
from tracing.forget import forget_conversation

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def give(tenant: Tenant, item: ReviewItem, user: Any, judgement: Judgement = GOOD, round_shown: int = 1) -> Review:
    with tenant_atomic(tenant.id):
        return domain.give_verdict(item.id, user=user, round_shown=round_shown, judgement=judgement)


def next_of(tenant: Tenant, user: Any, **wanted: str) -> uuid.UUID | None:
    with tenant_atomic(tenant.id):
        item = domain.next_item(user, **wanted)
        return item.id if item else None


def test_the_most_telling_and_oldest_comes_first_and_stays_until_it_is_judged(tenant: Tenant) -> None:
    random, rated = make_item(tenant), make_item(tenant, SampledFor.THUMBS_DOWN)
    user = reviewer(tenant)
    assert [next_of(tenant, user), next_of(tenant, user)] == [rated.id, rated.id]
    judge(tenant, user)
    assert next_of(tenant, user) == random.id
    judge(tenant, user)
    assert next_of(tenant, user) is None


def test_one_queue_can_be_asked_for(tenant: Tenant) -> None:
    random = make_item(tenant)
    make_item(tenant, SampledFor.THUMBS_DOWN)
    assert next_of(tenant, reviewer(tenant), sampled_for="random") == random.id


def test_who_goes_to_another_queue_keeps_nothing_from_others(tenant: Tenant) -> None:
    random, rated = make_item(tenant), make_item(tenant, SampledFor.THUMBS_DOWN)
    first, second = reviewer(tenant), reviewer(tenant)
    assert next_of(tenant, first) == rated.id
    assert next_of(tenant, first, sampled_for="random") == random.id
    assert next_of(tenant, second) == rated.id


def test_a_verdict_ends_it_and_is_a_fact_without_words(tenant: Tenant) -> None:
    item, user = make_item(tenant), reviewer(tenant)
    review = judge(tenant, user, MISREAD)
    assert (review.correction, review.seconds) == ("Three days.", 0)
    found = now(tenant, item)
    assert (found.verdict, found.cause, found.done_at is not None, found.claimed_by_id) == (
        "wrong",
        "misread",
        True,
        None,
    )
    with tenant_atomic(tenant.id):
        data = Fact.objects.get(kind="review.given").data
    assert data == {"reply_id": str(item.reply_id), "round": 1, "verdict": "wrong", "cause": "misread"}


def test_two_who_agree_end_it_and_neither_is_given_it_again(tenant: Tenant) -> None:
    item = make_item(tenant, needs_second=True)
    first, second = reviewer(tenant), reviewer(tenant)
    judge(tenant, first, TONE)
    assert (now(tenant, item).round, next_of(tenant, first)) == (2, None)
    judge(tenant, second, TONE)
    assert (now(tenant, item).done_at is not None, now(tenant, item).cause) == (True, "tone")


@pytest.mark.parametrize("second_says", [GOOD, TONE])
def test_two_who_disagree_are_settled_by_a_third(tenant: Tenant, second_says: Judgement) -> None:
    item = make_item(tenant, needs_second=True)
    make_item(tenant, SampledFor.THUMBS_DOWN)
    people = [reviewer(tenant) for _ in range(3)]
    give(tenant, item, people[0], MISREAD)
    give(tenant, item, people[1], second_says)
    assert (now(tenant, item).round, now(tenant, item).done_at) == (3, None)
    # Before everything else, and to nobody of the two.
    assert next_of(tenant, people[0]) not in (item.id, None)
    with tenant_atomic(tenant.id):
        domain.skip_item(next_of_item(people[0]), user=people[0])
    assert next_of(tenant, people[2]) == item.id
    judge(tenant, people[2], GOOD)
    assert (now(tenant, item).verdict, now(tenant, item).cause) == ("good", "")


def next_of_item(user: Any) -> uuid.UUID:
    item = domain.next_item(user)
    assert item is not None
    return item.id


def test_who_has_not_seen_the_disagreement_does_not_settle_it(tenant: Tenant) -> None:
    item = make_item(tenant, needs_second=True)
    late = reviewer(tenant)
    give(tenant, item, reviewer(tenant), MISREAD)
    give(tenant, item, reviewer(tenant), GOOD)
    with pytest.raises(ReviewedMeanwhile):
        give(tenant, item, late, GOOD, round_shown=1)
    assert now(tenant, item).round == 3


def test_what_is_on_one_screen_is_on_no_other_until_the_lease_ends(tenant: Tenant) -> None:
    item = make_item(tenant)
    first, second = reviewer(tenant), reviewer(tenant)
    assert (next_of(tenant, first), next_of(tenant, second)) == (item.id, None)
    with pytest.raises(ReviewedMeanwhile):
        give(tenant, item, second)
    with tenant_atomic(tenant.id):
        ReviewItem.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert next_of(tenant, second) == item.id


def test_the_same_person_judges_an_answer_once(tenant: Tenant) -> None:
    item, user = make_item(tenant, needs_second=True), reviewer(tenant)
    give(tenant, item, user)
    with pytest.raises(ReviewedMeanwhile):
        give(tenant, item, user)
    with tenant_atomic(tenant.id):
        assert Review.objects.count() == 1


def test_what_is_passed_over_comes_to_others_only(tenant: Tenant) -> None:
    item = make_item(tenant)
    first, second = reviewer(tenant), reviewer(tenant)
    with tenant_atomic(tenant.id):
        domain.skip_item(next_of_item(first), user=first)
    assert (next_of(tenant, first), next_of(tenant, second)) == (None, item.id)


def test_a_verdict_can_be_taken_back_until_somebody_builds_on_it(tenant: Tenant) -> None:
    item = make_item(tenant, needs_second=True)
    make_item(tenant)
    first, second = reviewer(tenant), reviewer(tenant)
    judge(tenant, first, TONE)
    next_of(tenant, first)
    with tenant_atomic(tenant.id):
        assert domain.take_back(item.id, user=first).round == 1
    assert next_of(tenant, first) == item.id
    give(tenant, item, first, TONE)
    give(tenant, item, second, TONE)
    with tenant_atomic(tenant.id), pytest.raises(ReviewedMeanwhile):
        domain.take_back(item.id, user=first)
    with tenant_atomic(tenant.id):
        reopened = domain.take_back(item.id, user=second)
    assert (reopened.done_at, reopened.verdict, reopened.round) == (None, "", 2)


@pytest.mark.parametrize(
    ("judgement", "error"),
    [
        (Judgement(verdict="superb"), InvalidInput),
        (Judgement(verdict="wrong"), CauseMissing),
        (Judgement(verdict="wrong", cause="gremlins"), CauseMissing),
        (Judgement(verdict="wrong", cause="tone", correction="x" * 4001), InvalidInput),
        (Judgement(verdict="good", note="x" * 2001), InvalidInput),
        (Judgement(verdict="good", note="a\x00b"), InvalidInput),
    ],
)
def test_what_cannot_be_kept_is_refused_and_changes_nothing(
    tenant: Tenant, judgement: Judgement, error: type[GlassdeskError]
) -> None:
    item = make_item(tenant)
    with pytest.raises(error):
        give(tenant, item, reviewer(tenant), judgement)
    assert now(tenant, item).done_at is None


def test_a_good_answer_has_no_cause_and_no_correction(tenant: Tenant) -> None:
    review = give(
        tenant,
        make_item(tenant),
        reviewer(tenant),
        Judgement(verdict="good", cause="tone", correction="x", note=" ok "),
    )
    assert (review.cause, review.correction, review.note) == ("", "", "ok")


def test_a_deleted_conversations_answer_leaves_the_queue_with_the_words_about_it(tenant: Tenant) -> None:
    item, user = make_item(tenant, needs_second=True), reviewer(tenant)
    judge(tenant, user, MISREAD)
    with tenant_atomic(tenant.id):
        forget_conversation(ReviewItem.objects.select_related("reply").get(id=item.id).reply.conversation_id)
        review = Review.objects.get()
        assert (review.verdict, review.cause, review.correction, review.note) == ("wrong", "misread", "", "")
    assert next_of(tenant, reviewer(tenant)) is None
    with pytest.raises(NotFound):
        give(tenant, item, reviewer(tenant))


def test_another_companys_answer_does_not_exist(tenant: Tenant) -> None:
    item = make_item(make_tenant())
    user = reviewer(tenant)
    assert next_of(tenant, user) is None
    with pytest.raises(NotFound):
        give(tenant, item, user)
    for act in (domain.skip_item, domain.take_back):
        with tenant_atomic(tenant.id), pytest.raises(NotFound):
            act(item.id, user=user)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.AGENT, Role.VIEWER])
def test_roles_without_the_right_get_no_answer(tenant: Tenant, role: Role) -> None:
    make_item(tenant)
    with acting_with(RIGHTS[role]), tenant_atomic(tenant.id), pytest.raises(Forbidden):
        domain.next_item(make_user(tenant, role))


@pytest.mark.django_db(transaction=True)
def test_many_who_ask_at_once_get_different_answers(tenant: Tenant) -> None:
    items = {make_item(tenant).id for _ in range(4)}
    people = [reviewer(tenant) for _ in range(4)]

    def ask(user: Any) -> uuid.UUID | None:
        try:
            return next_of(tenant, user)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, people)) == items


@pytest.mark.django_db(transaction=True)
def test_of_two_who_press_at_once_one_verdict_is_kept(tenant: Tenant) -> None:
    item = make_item(tenant)
    people = [reviewer(tenant) for _ in range(6)]

    def press(user: Any) -> str:
        try:
            return give(tenant, item, user, TONE).verdict
        except ReviewedMeanwhile:
            return "late"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(press, people)) == ["late"] * 5 + ["wrong"]
    with tenant_atomic(tenant.id):
        assert Review.objects.filter(item=item).count() == 1

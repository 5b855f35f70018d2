"""When the assistant hands over by itself, what the customer and the desk read of it, and the way back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from conversations import domain, replies
from conversations.failures import FailureCode
from conversations.inbox.notes import add_note
from conversations.intake import ask_for_person
from conversations.mails import is_of_person, mail_answer
from conversations.models import (
    AnswerKind,
    Channel,
    Conversation,
    HandOff,
    HandOffRules,
    Message,
    Note,
    Outcome,
    Reply,
    Visitor,
)
from conversations.queries import conversation_by_id, describe_conversation, describe_message, transcript
from conversations.ratings import rate_answer
from conversations.replies.reasons import is_same, plain
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.facts.models import Fact
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant, make_user
from tracing.forget import forget_conversation

pytestmark = pytest.mark.django_db
SOURCE = {
    "number": 1, "article": "0b8a7d9c-0000-4000-8000-000000000001", "version": 1,
    "chunk": "0b8a7d9c-0000-4000-8000-000000000002", "title": "Delivery times", "heading": "", "language": "en",
    "quote": "Two days.", "passage": "Two days.", "updated_at": "2026-01-01T00:00:00+00:00",
}  # fmt: skip


def set_rules(tenant: Tenant, **values: Any) -> None:
    with tenant_atomic(tenant.id):
        HandOffRules.objects.update_or_create(defaults=values)


def answered(tenant: Tenant, reply: Reply | None, body: str = "Two days.", **fields: Any) -> Message:
    assert reply is not None
    claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="test")
    assert claimed is not None
    given = {"outcome": Outcome.ANSWERED, "kind": AnswerKind.DIRECT, "confidence_band": "high"} | fields
    with tenant_atomic(tenant.id):
        return replies.finish_reply(claimed.reply, replies.Answer(body, "en", **given))


def state(tenant: Tenant, conversation: Conversation) -> tuple[str, list[str], list[str]]:
    """Status, the reasons of its hand-offs, and the events in its thread."""
    with tenant_atomic(tenant.id):
        found = conversation_by_id(conversation.id)
        reasons = list(found.hand_offs.order_by("began_at").values_list("reason", flat=True))
        return found.status, reasons, [each.body for each in transcript(found.id) if each.author == "system"]


@pytest.mark.parametrize(
    ("rule", "fields", "reason"),
    [
        ("on_low_confidence", {"confidence_band": "low"}, "low_confidence"),
        ("on_refusal", {"outcome": Outcome.REFUSED, "kind": AnswerKind.REFUSAL}, "refused"),
    ],
)
def test_a_weak_answer_is_handed_over_by_the_companys_rule_only(rule: str, fields: dict[str, Any], reason: str) -> None:
    for is_on in (False, True):
        tenant = make_tenant()
        set_rules(tenant, **{rule: is_on})
        conversation, _, reply = make_question(tenant)
        answered(tenant, reply, **fields)
        waits = ("waiting", [reason], [f"hand_off_{reason}"])
        assert state(tenant, conversation) == (waits if is_on else ("ai", [], []))


def test_a_complaint_waits_for_a_person() -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant, "This is a complaint")
    answered(tenant, reply, "I am sorry.", kind=AnswerKind.HAND_OFF, confidence_band="")
    assert state(tenant, conversation) == ("waiting", ["complaint"], ["hand_off_complaint"])


@pytest.mark.parametrize("rule", [True, False])
def test_a_question_that_is_asked_again_waits_for_a_person_unless_the_rule_is_off(rule: bool) -> None:
    tenant = make_tenant()
    set_rules(tenant, on_repeated=rule)
    conversation, _, reply = make_question(tenant, "How long does delivery take?")
    answered(tenant, reply)
    _, _, again = make_question(tenant, "how long does delivery take", visitor_id=conversation.visitor_id)
    answered(tenant, again)
    waits = ("waiting", ["repeated"], ["hand_off_repeated"])
    assert state(tenant, conversation) == (waits if rule else ("ai", [], []))


def test_small_talk_is_never_a_repeated_question() -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant, "Thanks!")
    answered(tenant, reply)
    _, _, again = make_question(tenant, "Thanks!", visitor_id=conversation.visitor_id)
    answered(tenant, again)
    assert state(tenant, conversation)[0] == "ai"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("How long does delivery take?", "how long does delivery take", True),
        ("How long does delivery take?", "how long does delivvery take", True),
        ("Can I return the big lamp", "Can I return the red lamp", False),
        ("Where is my order MG12345678?", "Where is my order MG12345679?", False),
        ("送货要多久？", "送货要多久", True),
        ("我可以退货吗，商品已经拆封使用过了", "我不可以退货吗，商品已经拆封使用过", False),
    ],
)
def test_what_counts_as_the_same_question(one: str, other: str, same: bool) -> None:
    assert is_same(plain(one), plain(other)) is same


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (FailureCode.DEADLINE, "late"),
        (FailureCode.ENGINE, "failed"),
        (FailureCode.MODEL_UNAVAILABLE, "failed"),
        (FailureCode.WORKER_LOST, "failed"),
        (FailureCode.STOPPED, None),
        (FailureCode.SUPERSEDED, None),
    ],
)
def test_a_reply_that_fails_or_is_late_waits_for_a_person(code: FailureCode, reason: str | None) -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    for _ in range(2):
        replies.fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=0, code=code)
    expected = ("waiting", [reason], [f"hand_off_{reason}"]) if reason else ("ai", [], [])
    assert state(tenant, conversation) == expected


def test_a_failure_waits_for_nobody_where_the_rule_is_off_or_no_person_reads_along() -> None:
    tenant = make_tenant()
    set_rules(tenant, on_failure=False)
    conversation, _, reply = make_question(tenant)
    replies.fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=0, code=FailureCode.ENGINE)
    assert state(tenant, conversation) == ("ai", [], [])
    other = make_tenant()
    conversation, _, reply = make_question(other)
    with tenant_atomic(other.id):
        Conversation.objects.update(channel=Channel.API)
    replies.fail_reply(tenant_id=other.id, reply_id=reply.id, attempt=0, code=FailureCode.ENGINE)
    assert state(other, conversation) == ("ai", [], [])


def test_a_thumb_down_on_the_latest_answer_waits_for_a_person() -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    first = answered(tenant, reply)
    _, _, second = make_question(tenant, "And to Norway?", visitor_id=conversation.visitor_id)
    latest = answered(tenant, second, "Five days.")
    rate = {"tenant_id": tenant.id, "visitor_id": conversation.visitor_id}
    rate_answer(**rate, message_id=latest.id, rating="up")
    rate_answer(**rate, message_id=first.id, rating="down")
    assert state(tenant, conversation)[0] == "ai"
    for reason in ("", "wrong"):
        rate_answer(**rate, message_id=latest.id, rating="down", reason=reason)
    assert state(tenant, conversation) == ("waiting", ["thumbs_down"], ["hand_off_thumbs_down"])


def test_the_reason_is_told_to_whoever_is_notified() -> None:
    tenant = make_tenant()
    _conversation, _, reply = make_question(tenant)
    replies.fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=0, code=FailureCode.DEADLINE)
    with tenant_atomic(tenant.id):
        fact = Fact.objects.get(kind="conversation.status_changed")
    assert (fact.data["status"], fact.data["reason"], fact.actor) == ("waiting", "late", "ai")


def test_a_customer_who_goes_back_to_the_assistant_is_answered_at_once() -> None:
    tenant = make_tenant()
    conversation, _, _ = make_question(tenant)
    ask_for_person(tenant_id=tenant.id, visitor_id=conversation.visitor_id, language="en")
    _, question, none = make_question(tenant, "And to Norway?", visitor_id=conversation.visitor_id)
    assert none is None
    for expected in (True, False):
        assert expected == domain.cancel_wait(
            tenant_id=tenant.id, conversation_id=conversation.id, visitor_id=conversation.visitor_id
        )
    assert state(tenant, conversation) == ("ai", ["requested"], ["person_requested", "wait_cancelled"])
    with tenant_atomic(tenant.id):
        assert Reply.objects.get(question=question).status == "queued"
        assert HandOff.objects.get().end == "cancelled"


def test_nobody_else_cancels_a_customers_wait() -> None:
    tenant = make_tenant()
    conversation, _, _ = make_question(tenant)
    ask_for_person(tenant_id=tenant.id, visitor_id=conversation.visitor_id, language="en")
    stranger = domain.begin_visit(tenant.id)
    assert not domain.cancel_wait(tenant_id=tenant.id, conversation_id=conversation.id, visitor_id=stranger)
    with pytest.raises(NotFound):
        domain.leave_email(
            tenant_id=tenant.id, conversation_id=conversation.id, visitor_id=stranger, address="a@example.org"
        )


def leave(tenant: Tenant, conversation: Conversation, address: str) -> None:
    domain.leave_email(
        tenant_id=tenant.id, conversation_id=conversation.id, visitor_id=conversation.visitor_id, address=address
    )


def test_an_address_is_kept_for_the_answer_and_stands_in_no_fact_and_no_frame() -> None:
    tenant = make_tenant()
    conversation, _, _ = make_question(tenant)
    leave(tenant, conversation, " Ana@Example.org ")
    domain.post_person_message(
        tenant_id=tenant.id, conversation_id=conversation.id, user=make_user(tenant), body="Two days."
    )
    with tenant_atomic(tenant.id):
        assert Visitor.objects.get(id=conversation.visitor_id).answer_email == "ana@example.org"
        told = [fact for fact in Fact.objects.filter(kind="message.posted").order_by("number") if is_of_person(fact)]
        frames = [describe_message(each) for each in transcript(conversation.id)]
        shown = describe_conversation(conversation_by_id(conversation.id))
        assert "ana@" not in str([fact.data for fact in Fact.objects.all()]) + str(frames) + str(shown)
        for fact in told:
            mail_answer(fact)
    assert shown["has_email"] is True
    [sent] = mail.outbox
    assert (sent.to, sent.reply_to, "Two days." in sent.body) == (["ana@example.org"], [tenant.contact_email], True)


@pytest.mark.parametrize("address", ["", "ana", "ana@", "a b@example.org", "ana@example.org\nBcc: x@example.org"])
def test_what_is_no_address_is_refused(address: str) -> None:
    tenant = make_tenant()
    conversation, _, _ = make_question(tenant)
    with pytest.raises(InvalidInput):
        leave(tenant, conversation, address)
    with tenant_atomic(tenant.id):
        assert Visitor.objects.get(id=conversation.visitor_id).answer_email == ""


def test_deleting_the_conversation_takes_address_and_notes_with_it() -> None:
    tenant = make_tenant()
    conversation, _, _ = make_question(tenant)
    leave(tenant, conversation, "ana@example.org")
    add_note(tenant_id=tenant.id, conversation_id=conversation.id, user=make_user(tenant), body="Asks a lot.")
    with tenant_atomic(tenant.id):
        forget_conversation(conversation.id)
        assert Visitor.objects.get(id=conversation.visitor_id).answer_email == ""
        assert Note.objects.count() == 0


def url(name: str, tenant: Tenant, conversation: Conversation) -> str:
    return reverse(f"desk:{name}", kwargs={"tenant_slug": tenant.slug, "conversation_id": conversation.id})


def test_the_card_says_what_was_asked_tried_and_why_and_suggests_a_reply(client) -> None:
    tenant = make_tenant()
    set_rules(tenant, on_low_confidence=True)
    conversation, _, reply = make_question(tenant)
    answered(tenant, reply, "Delivery takes two days.", confidence_band="low", sources=[SOURCE])
    client.force_login(make_user(tenant))
    card = client.get(url("conversation", tenant, conversation)).context["card"]
    assert (card.reason, card.asked) == ("The AI was not sure of its answer", "How long does delivery take?")
    assert (card.sources, card.answer_reply) == (("Delivery times",), reply.id)
    assert (card.suggestion, card.is_answer) == ("Delivery takes two days.", True)


def test_the_card_of_a_failure_offers_an_opening_in_the_customers_language(client) -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant, "送货要多久？", language="zh")
    replies.fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=0, code=FailureCode.ENGINE)
    client.force_login(agent := make_user(tenant))
    page = client.get(url("conversation", tenant, conversation))
    card = page.context["card"]
    assert (card.sources, card.answer_reply, card.is_answer) == ((), None, False)
    assert card.suggestion.startswith("您好") and agent.name in card.suggestion
    assert "data-insert=" in page.content.decode()


def test_notes_stand_in_the_thread_and_reach_no_customer(client) -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    agent = make_user(tenant)
    client.force_login(agent)
    assert client.post(url("note", tenant, conversation), {"note": "Secret: <b>VIP</b>"}).status_code == 302
    answered(tenant, reply)
    page = client.get(url("conversation", tenant, conversation)).content.decode()
    assert "Secret: &lt;b&gt;VIP&lt;/b&gt;" in page
    assert page.index("How long does delivery take?</div>") < page.index("Secret:") < page.index("Two days.</div>")
    fresh = client.get(url("updates", tenant, conversation), {"after": "2", "notes": "1"}).content.decode()
    assert "Secret:" not in fresh
    assert "Secret:" in client.get(url("updates", tenant, conversation), {"after": "2"}).content.decode()
    with tenant_atomic(tenant.id):
        found = conversation_by_id(conversation.id)
        shown = str(describe_conversation(found)) + str([describe_message(each) for each in transcript(found.id)])
        facts = str(list(Fact.objects.values_list("data", flat=True)))
    assert "Secret" not in shown + facts


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_only_those_who_may_reply_write_notes(client, role: Role) -> None:
    tenant = make_tenant()
    conversation, _, _ = make_question(tenant)
    for user, status in ((make_user(tenant, role), 403), (make_user(make_tenant(), Role.OWNER), 404)):
        client.force_login(user)
        assert client.post(url("note", tenant, conversation), {"note": "Hi"}).status_code == status
    own = make_tenant()
    client.force_login(make_user(own))
    assert client.post(url("note", own, conversation), {"note": "Hi"}).status_code == 404
    with tenant_atomic(tenant.id):
        assert Note.objects.count() == 0


def test_owners_set_the_rules_and_agents_do_not(client) -> None:
    tenant, other = make_tenant(), make_tenant()
    page = reverse("desk:hand_off_rules", kwargs={"tenant_slug": tenant.slug})
    assert client.get(page).status_code == 302
    client.force_login(make_user(tenant))
    assert (client.get(page).status_code, client.post(page).status_code) == (403, 403)
    client.force_login(make_user(other, Role.OWNER))
    assert client.get(page).status_code == 404
    client.force_login(make_user(tenant, Role.OWNER))
    assert client.get(page).context["form"].initial["alarm_minutes"] == 5
    assert client.post(page, {"alarm_minutes": "0"}).status_code == 400
    assert client.post(page, {"alarm_minutes": "12", "on_refusal": "on"}).status_code == 302
    with tenant_atomic(tenant.id):
        rules = replies.hand_off_rules()
    assert (rules.alarm_minutes, rules.on_refusal, rules.on_failure) == (12, True, False)
    with tenant_atomic(other.id):
        assert replies.hand_off_rules().alarm_minutes == 5

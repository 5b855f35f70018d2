"""Posting, stopping, handing over."""

from __future__ import annotations

import uuid

import pytest

from conversations import domain, intake, replies
from conversations.inbound import from_visitor
from conversations.intake import receive
from conversations.models import Conversation, Message, Reply, ReplyStatus
from helpdesk.errors import InvalidInput, MessageTooLong, NotFound
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db


def test_post_customer_message_stores_message_and_queues_one_reply() -> None:
    tenant = make_tenant()
    conversation, message, reply = make_question(tenant)
    assert reply is not None
    assert (message.position, reply.status, reply.question_id) == (1, ReplyStatus.QUEUED, message.id)
    with tenant_atomic(tenant.id):
        assert Conversation.objects.get().preview == message.body
        assert conversation.id == Conversation.objects.get().id


def test_post_customer_message_with_a_repeated_client_id_returns_the_existing_rows() -> None:
    tenant = make_tenant()
    visitor_id, client_id = domain.begin_visit(tenant.id), uuid.uuid4()
    first, second = (
        receive(
            from_visitor(
                tenant_id=tenant.id, visitor_id=visitor_id, client_id=client_id, body="Hello there", language="en"
            )
        )
        for _ in range(2)
    )
    assert first.message.id == second.message.id
    with tenant_atomic(tenant.id):
        assert (Message.objects.count(), Reply.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", InvalidInput),
        ("   \n ", InvalidInput),
        (None, InvalidInput),
        (b"bytes", InvalidInput),
        ("nul\x00byte", InvalidInput),
        ("bell\x07", InvalidInput),
        ("\u200b\u200d\ufeff \u2060", InvalidInput),
        ("\u3164\u2800", InvalidInput),
        ("lone surrogate \ud800", InvalidInput),
        ("x" * 4001, MessageTooLong),
        ("x" * 100_000, MessageTooLong),
    ],
)
def test_post_customer_message_refuses_bad_bodies_and_stores_nothing(body: object, error: type[Exception]) -> None:
    tenant = make_tenant()
    visitor_id = domain.begin_visit(tenant.id)
    with pytest.raises(error):
        receive(
            from_visitor(tenant_id=tenant.id, visitor_id=visitor_id, client_id=uuid.uuid4(), body=body, language="en")
        )
    with tenant_atomic(tenant.id):
        assert Message.objects.count() == 0


def test_post_customer_message_of_another_tenants_visitor_is_not_found() -> None:
    one, other = make_tenant(), make_tenant()
    visitor_id = domain.begin_visit(other.id)
    with pytest.raises(NotFound):
        receive(from_visitor(tenant_id=one.id, visitor_id=visitor_id, client_id=uuid.uuid4(), body="Hi", language="en"))


def test_claim_reply_is_granted_once() -> None:
    tenant = make_tenant()
    _, _, reply = make_question(tenant)
    assert reply is not None
    first = replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="a")
    second = replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="b")
    assert first is not None
    assert (first.reply.attempt, second) == (1, None)


def test_person_message_takes_ownership_and_late_ai_output_is_discarded() -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    assert reply is not None
    claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="a")
    assert claimed is not None
    agent = make_user(tenant)
    domain.post_person_message(tenant_id=tenant.id, conversation_id=conversation.id, user=agent, body="I can help.")
    answer = replies.Answer(body="late", language="en", outcome="answered")  # type: ignore[arg-type]
    with pytest.raises(replies.ReplyLost), tenant_atomic(tenant.id):
        replies.finish_reply(claimed.reply, answer)
    with tenant_atomic(tenant.id):
        assert [message.author for message in Message.objects.order_by("position")] == ["customer", "person"]
        assert Conversation.objects.get().assignee_id == agent.id


def test_asking_for_a_person_twice_keeps_one_place_in_the_line() -> None:
    tenant = make_tenant()
    visitor_id = domain.begin_visit(tenant.id)
    for _ in range(2):
        intake.ask_for_person(tenant_id=tenant.id, visitor_id=visitor_id, language="en")
    with tenant_atomic(tenant.id):
        assert list(Message.objects.values_list("body", flat=True)) == ["person_requested"]


def test_waiting_conversation_gets_no_ai_reply() -> None:
    tenant = make_tenant()
    visitor_id = domain.begin_visit(tenant.id)
    intake.ask_for_person(tenant_id=tenant.id, visitor_id=visitor_id, language="en")
    _, _, reply = make_question(tenant, visitor_id=visitor_id)
    assert reply is None


@pytest.mark.parametrize("way", ["stop", "person", "close", "take over"])
def test_a_reply_that_still_waits_ends_at_once_without_a_worker(way: str) -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    assert reply is not None
    if way == "stop":
        replies.stop_reply(tenant_id=tenant.id, conversation_id=conversation.id, reply_id=reply.id)
    elif way == "person":
        intake.ask_for_person(tenant_id=tenant.id, visitor_id=conversation.visitor_id, language="en")
    elif way == "close":
        domain.close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)
    else:
        agent = make_user(tenant)
        domain.post_person_message(tenant_id=tenant.id, conversation_id=conversation.id, user=agent, body="Hello!")
    with tenant_atomic(tenant.id):
        ended = Reply.objects.get()
    assert (ended.status, ended.error_code) == (ReplyStatus.FAILED, "superseded" if way == "take over" else "stopped")
    assert replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="a") is None


def test_stop_reply_of_another_conversation_changes_nothing() -> None:
    tenant = make_tenant()
    _, _, reply = make_question(tenant)
    other, _, _ = make_question(tenant)
    assert reply is not None
    replies.stop_reply(tenant_id=tenant.id, conversation_id=other.id, reply_id=reply.id)
    with tenant_atomic(tenant.id):
        assert Reply.objects.get(id=reply.id).status == ReplyStatus.QUEUED

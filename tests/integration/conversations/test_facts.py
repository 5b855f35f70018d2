"""What happens in a conversation is recorded: each step once, by whom, in the order of the commits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections

from conversations.domain import post_person_message
from conversations.failures import FailureCode
from conversations.feedback import give_feedback
from conversations.models import Author, Channel, Conversation, Outcome, Visitor
from conversations.queries import default_assistant
from conversations.replies import Answer, claim_reply, fail_reply, finish_reply, stop_reply
from conversations.transcript import append_message
from helpdesk.facts.models import Fact
from helpdesk.streams.entries import START, conversation_stream, decode, inbox_stream
from helpdesk.streams.writer import client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_SECONDS = 20


def facts_of(tenant: Tenant, conversation: Conversation) -> list[Fact]:
    with tenant_atomic(tenant.id):
        return list(Fact.objects.filter(conversation_id=conversation.id).order_by("number"))


def kinds_of(tenant: Tenant, conversation: Conversation) -> list[str]:
    return [fact.kind for fact in facts_of(tenant, conversation)]


def published(tenant: Tenant, conversation: Conversation) -> list[str]:
    """Ids of the facts in the conversation's stream."""
    entries = client().xrange(conversation_stream(tenant.id, conversation.id), START)
    return [decode(*raw).fact for raw in entries]


def test_an_answered_question_leaves_a_fact_for_each_step() -> None:
    tenant = make_tenant()
    conversation, question, reply = make_question(tenant)
    claimed = claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="test")
    with tenant_atomic(tenant.id):
        answer = finish_reply(claimed.reply, Answer("Two days.", "en", Outcome.ANSWERED))
    give_feedback(tenant_id=tenant.id, visitor_id=conversation.visitor_id, message_id=answer.id, rating="up")
    customer = ("customer", str(conversation.visitor_id))
    ai, system = ("ai", ""), ("system", "")
    facts = facts_of(tenant, conversation)
    assert [(fact.kind, fact.subject_id, (fact.actor, fact.actor_id)) for fact in facts] == [
        ("message.posted", question.id, customer),
        ("reply.queued", reply.id, system),
        ("reply.begun", reply.id, ai),
        ("message.posted", answer.id, ai),
        ("reply.done", reply.id, ai),
        ("feedback.given", answer.id, customer),
    ]
    assert [fact.data for fact in facts[2:5]] == [
        {"attempt": 1, "channel": "widget"},
        {"position": 2, "author": "ai", "channel": "widget"},
        {"attempt": 1, "channel": "widget", "message_id": str(answer.id), "outcome": "answered"},
    ]
    assert published(tenant, conversation) == [str(fact.id) for fact in facts]
    assert {name for fact in facts for name in fact.owed} == {"clocks", "automation"}


@pytest.mark.parametrize("channel", Channel)
def test_desks_are_told_of_the_conversations_that_people_may_have(channel: Channel) -> None:
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        conversation = Conversation.objects.create(
            visitor=Visitor.objects.create(), assistant=default_assistant(), channel=channel
        )
        append_message(conversation, author=Author.CUSTOMER, body="Is anybody there?", language="en")
    assert len(published(tenant, conversation)) == 1
    assert client().xlen(inbox_stream(tenant.id)) == (channel in {Channel.WIDGET, Channel.API})


def test_a_person_who_answers_stops_the_reply_and_each_of_it_is_a_fact() -> None:
    tenant = make_tenant()
    person = make_user(tenant)
    conversation, _, _ = make_question(tenant)
    post_person_message(tenant_id=tenant.id, conversation_id=conversation.id, user=person, body="I am here.")
    facts = facts_of(tenant, conversation)[2:]
    assert [fact.kind for fact in facts] == ["reply.failed", "message.posted", "conversation.status_changed"]
    assert (facts[0].data["code"], facts[1].actor, facts[1].actor_id) == ("superseded", "user", str(person.id))


def test_a_reply_that_ends_twice_is_recorded_once() -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    for _ in range(2):
        stop_reply(tenant_id=tenant.id, conversation_id=conversation.id, reply_id=reply.id)
        fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=None, code=FailureCode.ENGINE)
    assert kinds_of(tenant, conversation) == ["message.posted", "reply.queued", "reply.failed"]


@contextmanager
def unfinished_message(tenant: Tenant, conversation: Conversation) -> Iterator[threading.Event]:
    """A second connection that has posted a message and commits once the event is set."""
    written, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with tenant_atomic(tenant.id):
                append_message(conversation, author=Author.CUSTOMER, body="And abroad?", language="en")
                written.set()
                assert may_commit.wait(WAIT_SECONDS)
        finally:
            connections.close_all()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert written.wait(WAIT_SECONDS)
        yield may_commit
    finally:
        may_commit.set()
        thread.join(WAIT_SECONDS)


@pytest.mark.parametrize("change", ["claim", "fail", "stop"])
def test_what_happens_at_once_is_recorded_and_published_in_the_order_of_the_commits(change: str) -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)

    def make_change() -> None:
        try:
            if change == "claim":
                claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="test")
            elif change == "fail":
                fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=None, code=FailureCode.ENGINE)
            else:
                stop_reply(tenant_id=tenant.id, conversation_id=conversation.id, reply_id=reply.id)
        finally:
            connections.close_all()

    with unfinished_message(tenant, conversation) as may_commit:
        second = threading.Thread(target=make_change)
        second.start()
        # It waits for the conversation, so that it has recorded nothing while the message is not committed.
        second.join(0.5)
        assert second.is_alive()
        may_commit.set()
        second.join(WAIT_SECONDS)
    ending = "reply.begun" if change == "claim" else "reply.failed"
    # Of what failed a person is told.
    also = ["message.posted", "conversation.status_changed"] if change == "fail" else []
    assert kinds_of(tenant, conversation) == ["message.posted", "reply.queued", "message.posted", ending, *also]
    assert published(tenant, conversation) == [str(fact.id) for fact in facts_of(tenant, conversation)]


def test_facts_of_a_conversation_stand_in_no_other_tenant_s_scope() -> None:
    tenant, other = make_tenant(), make_tenant()
    make_question(tenant)
    with tenant_atomic(other.id):
        assert list(Fact.objects.all()) == []

"""Taking over, writing, handing back, closing and reopening: also by many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from conversations import domain, replies
from conversations.errors import AlreadyTaken, AnsweredMeanwhile, NewerConversation
from conversations.hand_off import writing
from conversations.intake import ask_for_person
from conversations.models import Conversation, HandOff, HandOffEnd, Message, Outcome, Reply, ReplyStatus
from conversations.queries import conversation_by_id, describe_conversation
from helpdesk.errors import Conflict, NotFound
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")
MANY = 20


def together(times: int, do: Callable[[int], T]) -> list[T | Exception]:
    """What each of so many at once returns or raises."""
    barrier = threading.Barrier(times)

    def one(number: int) -> T | Exception:
        barrier.wait()
        try:
            return do(number)
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def waiting(tenant: Tenant) -> Conversation:
    conversation, _, _ = make_question(tenant)
    return ask_for_person(tenant_id=tenant.id, visitor_id=conversation.visitor_id, language="en")


def now(tenant: Tenant, conversation: Conversation) -> Conversation:
    with tenant_atomic(tenant.id):
        return conversation_by_id(conversation.id)


def said(tenant: Tenant) -> list[str]:
    with tenant_atomic(tenant.id):
        return [f"{each.author}: {each.body}" for each in Message.objects.order_by("position")]


def take(tenant: Tenant, conversation: Conversation, user: User) -> None:
    domain.take_conversation(tenant_id=tenant.id, conversation_id=conversation.id, user=user)


def send(tenant: Tenant, conversation: Conversation, user: User, seen: int | None = None) -> Message:
    return domain.post_person_message(
        tenant_id=tenant.id, conversation_id=conversation.id, user=user, body="Hello.", seen=seen
    )


def write(tenant: Tenant, conversation: Conversation, user: User) -> User | None:
    return writing.begin_writing(tenant_id=tenant.id, conversation_id=conversation.id, user=user)


def test_of_twenty_who_take_at_once_one_has_it_and_the_others_are_told_who() -> None:
    tenant = make_tenant()
    conversation = waiting(tenant)
    agents = [make_user(tenant) for _ in range(MANY)]
    ends = together(MANY, lambda number: take(tenant, conversation, agents[number]))
    [winner] = [agents[number] for number, end in enumerate(ends) if end is None]
    others = [end for end in ends if end is not None]
    assert [type(each) for each in others] == [AlreadyTaken] * (MANY - 1)
    assert {str(each.message) for each in others} == {f"{winner} has already taken this conversation."}
    assert now(tenant, conversation).assignee == winner
    assert said(tenant)[-1] == "system: taken"
    assert len([each for each in said(tenant) if each == "system: taken"]) == 1
    with tenant_atomic(tenant.id):
        hand_off = HandOff.objects.get()
    assert (hand_off.end, hand_off.taken_by_id) == (HandOffEnd.TAKEN, winner.id)


def test_of_twenty_who_answer_at_once_one_is_sent_and_the_others_are_warned() -> None:
    tenant = make_tenant()
    conversation = waiting(tenant)
    seen = now(tenant, conversation).message_count
    agents = [make_user(tenant) for _ in range(MANY)]
    ends = together(MANY, lambda number: send(tenant, conversation, agents[number], seen))
    assert len([each for each in ends if isinstance(each, Message)]) == 1
    assert len([each for each in ends if isinstance(each, AnsweredMeanwhile)]) == MANY - 1
    assert len([each for each in said(tenant) if each.startswith("person")]) == 1


def test_a_warned_writer_can_send_again() -> None:
    tenant = make_tenant()
    conversation = waiting(tenant)
    seen = now(tenant, conversation).message_count
    send(tenant, conversation, make_user(tenant), seen)
    second = make_user(tenant)
    with pytest.raises(AnsweredMeanwhile):
        send(tenant, conversation, second, seen)
    send(tenant, conversation, second, seen + 1)
    assert now(tenant, conversation).assignee == second


def test_ones_own_message_and_the_customers_warn_nobody() -> None:
    tenant = make_tenant()
    conversation = waiting(tenant)
    agent, seen = make_user(tenant), now(tenant, conversation).message_count
    send(tenant, conversation, agent, seen)
    make_question(tenant, "And abroad?", visitor_id=conversation.visitor_id)
    send(tenant, conversation, agent, seen)
    assert [each for each in said(tenant) if each.startswith("person")] == ["person: Hello."] * 2


def test_taking_stops_the_assistant_and_its_late_answer_is_discarded() -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="a")
    take(tenant, conversation, make_user(tenant))
    with pytest.raises(replies.TakenOver), tenant_atomic(tenant.id):
        replies.finish_reply(claimed.reply, replies.Answer("late", "en", Outcome.ANSWERED))
    assert said(tenant) == ["customer: How long does delivery take?", "system: taken"]


def test_taking_what_is_ones_own_or_closed() -> None:
    tenant = make_tenant()
    conversation, agent = waiting(tenant), make_user(tenant)
    take(tenant, conversation, agent)
    take(tenant, conversation, agent)
    assert said(tenant)[-1:] == ["system: taken"]
    domain.close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)
    with pytest.raises(Conflict):
        take(tenant, conversation, agent)


def test_nobody_takes_or_reopens_another_companys_conversation() -> None:
    tenant, other = make_tenant(), make_tenant()
    conversation, stranger = waiting(tenant), make_user(other)
    with pytest.raises(NotFound):
        take(other, conversation, stranger)
    with pytest.raises(NotFound):
        domain.reopen_conversation(tenant_id=other.id, conversation_id=conversation.id, user=stranger)
    with pytest.raises(NotFound):
        write(other, conversation, stranger)
    assert not domain.cancel_wait(
        tenant_id=other.id, conversation_id=conversation.id, visitor_id=conversation.visitor_id
    )
    assert now(tenant, conversation).status == "waiting"


def test_the_first_keystroke_holds_what_is_being_written_and_what_waits() -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="a")
    agent = make_user(tenant)
    assert write(tenant, conversation, agent) is None
    with tenant_atomic(tenant.id):
        held = Reply.objects.get()
    assert held.status == ReplyStatus.QUEUED
    assert held.deadline_at > timezone.now() + timedelta(seconds=writing.WRITING_SECONDS)
    assert replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="b") is None
    with pytest.raises(replies.ReplyLost), tenant_atomic(tenant.id):
        replies.finish_reply(claimed.reply, replies.Answer("late", "en", Outcome.ANSWERED))
    with tenant_atomic(tenant.id):
        shown = describe_conversation(conversation_by_id(conversation.id))
    assert (shown["status"], shown["writing"]) == ("ai", str(agent))
    assert 0 < shown["writing_seconds"] <= writing.WRITING_SECONDS


def test_a_hold_runs_out_or_ends_and_the_assistant_goes_on() -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    agent = make_user(tenant)
    write(tenant, conversation, agent)
    with tenant_atomic(tenant.id):
        Conversation.objects.update(writer_until=timezone.now() - timedelta(seconds=1))
        assert describe_conversation(conversation_by_id(conversation.id))["writing"] is None
    assert replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="b") is not None
    write(tenant, conversation, agent)
    writing.end_writing(tenant_id=tenant.id, conversation_id=conversation.id, user=agent)
    assert replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="b") is not None


def test_the_second_writer_learns_who_was_first_and_ends_nothing() -> None:
    tenant = make_tenant()
    conversation, _, _ = make_question(tenant)
    first, second = make_user(tenant), make_user(tenant)
    write(tenant, conversation, first)
    assert write(tenant, conversation, second) == first
    writing.end_writing(tenant_id=tenant.id, conversation_id=conversation.id, user=second)
    assert now(tenant, conversation).writer == first


def test_sending_ends_the_hold() -> None:
    tenant = make_tenant()
    conversation, _, _ = make_question(tenant)
    agent = make_user(tenant)
    write(tenant, conversation, agent)
    send(tenant, conversation, agent)
    assert now(tenant, conversation).seconds_of_writing == 0


def test_handing_back_answers_what_the_customer_wrote_last_with_all_that_was_said() -> None:
    tenant = make_tenant()
    conversation, agent = waiting(tenant), make_user(tenant)
    send(tenant, conversation, agent)
    _, question, reply = make_question(tenant, "And to Norway?", visitor_id=conversation.visitor_id)
    assert reply is None
    answers = domain.hand_back_to_assistant(
        tenant_id=tenant.id, conversation_id=conversation.id, actor=user_actor(agent)
    )
    assert answers
    with tenant_atomic(tenant.id):
        queued = Reply.objects.get(question=question)
    claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=queued.id, worker="a")
    assert [each.body for each in claimed.history] == ["How long does delivery take?", "person_requested", "Hello."]
    assert said(tenant)[-1] == "system: handed_back"


def test_handing_back_an_answered_conversation_waits_for_the_next_message() -> None:
    tenant = make_tenant()
    conversation, agent = waiting(tenant), make_user(tenant)
    send(tenant, conversation, agent)
    assert not domain.hand_back_to_assistant(tenant_id=tenant.id, conversation_id=conversation.id)
    assert now(tenant, conversation).status == "ai"


def test_closing_can_be_undone_for_whoever_had_it() -> None:
    tenant = make_tenant()
    agent, other = make_user(tenant), make_user(tenant)
    of_person, of_ai, in_line = waiting(tenant), make_question(tenant)[0], waiting(tenant)
    take(tenant, of_person, agent)
    for each in (of_person, of_ai, in_line):
        domain.close_conversation(tenant_id=tenant.id, conversation_id=each.id, actor=user_actor(agent))
        domain.reopen_conversation(tenant_id=tenant.id, conversation_id=each.id, user=other, is_undo=True)
    ends = [now(tenant, each) for each in (of_person, of_ai, in_line)]
    assert [(each.status, each.assignee) for each in ends] == [("person", agent), ("ai", None), ("waiting", None)]


def test_reopening_makes_it_ones_own_unless_the_customer_has_begun_another() -> None:
    tenant = make_tenant()
    conversation, agent = waiting(tenant), make_user(tenant)
    domain.close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)
    domain.reopen_conversation(tenant_id=tenant.id, conversation_id=conversation.id, user=agent)
    assert (now(tenant, conversation).status, now(tenant, conversation).assignee) == ("person", agent)
    with pytest.raises(Conflict):
        domain.reopen_conversation(tenant_id=tenant.id, conversation_id=conversation.id, user=agent)
    domain.close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)
    make_question(tenant, visitor_id=conversation.visitor_id)
    with pytest.raises(NewerConversation):
        domain.reopen_conversation(tenant_id=tenant.id, conversation_id=conversation.id, user=agent)


@pytest.mark.parametrize("name", ["take", "reopen", "writing"])
@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_onlookers_do_none_of_it(client, name: str, role: Role) -> None:
    tenant = make_tenant()
    conversation = waiting(tenant)
    client.force_login(make_user(tenant, role))
    url = reverse(f"desk:{name}", kwargs={"tenant_slug": tenant.slug, "conversation_id": conversation.id})
    assert client.post(url).status_code == 403
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert client.post(url).status_code == 404
    assert now(tenant, conversation).status == "waiting"


def test_the_slower_of_two_reads_who_has_it_and_a_closed_one_offers_to_undo(client) -> None:
    tenant = make_tenant()
    conversation, first = waiting(tenant), make_user(tenant)
    take(tenant, conversation, first)
    client.force_login(make_user(tenant))

    def post(name: str, **data: str) -> str:
        kwargs = {"tenant_slug": tenant.slug, "conversation_id": conversation.id}
        return client.post(reverse(f"desk:{name}", kwargs=kwargs), data, follow=True).content.decode()

    assert f"{first} has already taken this conversation." in post("take")
    assert f"Assigned to {first}. Replying assigns it to you." in post("writing")
    assert 'name="undo"' in post("close")
    page = post("reopen", undo="1")
    assert 'id="hand-back"' in page
    assert now(tenant, conversation).assignee == first

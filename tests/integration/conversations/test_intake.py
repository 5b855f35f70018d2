"""The one way in: what each door stores, what it refuses, and that nobody waits for somebody else's Redis."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from django.db import connection, connections
from django.test import Client, override_settings
from django.urls import reverse

from batches.feeding import begin_items, feed
from conversations import domain, intake
from conversations.admission import QueueReadTooLate, read_queue
from conversations.errors import ConversationClosed, NotAnApiConversation
from conversations.inbound import Inbound, from_api_client, from_chat, from_shell, from_visitor
from conversations.inbox.queues import Listed, page_of
from conversations.intake import PostedMessage, receive
from conversations.models import Assistant, Author, Channel, Conversation, Message, Reply, ReplyStatus, Visitor
from conversations.parameters import RequestParameters
from conversations.queries import default_assistant, waiting_position
from conversations.transcript import append_message
from helpdesk.errors import Busy, NotFound
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact
from helpdesk.streams.writer import client as redis_client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant, make_user
from tests.integration.batches.jobs import states, submit

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "How long does delivery take?"
AS_SET = RequestParameters()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def api_conversation(tenant: Tenant) -> Conversation:
    with tenant_atomic(tenant.id):
        return intake.begin_conversation(customer="c-17")


def of_visitor(tenant: Tenant, body: str = QUESTION) -> Inbound:
    visitor_id = domain.begin_visit(tenant.id)
    return from_visitor(tenant_id=tenant.id, visitor_id=visitor_id, client_id=uuid.uuid4(), body=body, language="en")


def of_api_client(tenant: Tenant, body: str = QUESTION) -> Inbound:
    conversation_id = api_conversation(tenant).id
    return from_api_client(
        tenant_id=tenant.id, conversation_id=conversation_id, client_id=uuid.uuid4(), body=body, parameters=AS_SET
    )


def of_chat(tenant: Tenant, body: str = QUESTION) -> Inbound:
    with tenant_atomic(tenant.id):
        visitor, assistant = domain.visitor_of(""), default_assistant()
    turns = [(Author.CUSTOMER, "Do you deliver?"), (Author.AI, "Yes."), (Author.CUSTOMER, body)]
    return from_chat(tenant_id=tenant.id, visitor_id=visitor.id, assistant=assistant, turns=turns, parameters=AS_SET)


def of_shell(tenant: Tenant, body: str = QUESTION) -> Inbound:
    parameters = RequestParameters(use_cache=False)
    return from_shell(tenant_id=tenant.id, body=body, language="en", parameters=parameters)


DOORS = pytest.mark.parametrize("door", [of_visitor, of_api_client, of_chat, of_shell])
Door = Callable[..., Inbound]
T = TypeVar("T")


def stored(tenant: Tenant) -> tuple[int, int]:
    with tenant_atomic(tenant.id):
        return Message.objects.count(), Reply.objects.count()


def in_thread(function: Callable[..., T], *args: Any, **kwargs: Any) -> Callable[[], T]:
    """Call it with a database connection of its own."""

    def call() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return call


@DOORS
def test_every_door_stores_the_question_and_one_queued_reply(door: Door, tenant: Tenant) -> None:
    inbound = door(tenant)
    posted = receive(inbound)
    assert posted.reply is not None
    with tenant_atomic(tenant.id):
        reply = Reply.objects.select_related("conversation", "question").get()
        last = reply.conversation.messages.last()
    assert (reply.status, reply.question, last) == (ReplyStatus.QUEUED, posted.message, posted.message)
    assert (reply.conversation.channel, posted.message.body) == (inbound.channel, QUESTION)
    assert reply.conversation.message_count == last.position
    assert RequestParameters.from_json(reply.parameters) == inbound.parameters


def test_what_was_said_before_stands_before_the_question(tenant: Tenant) -> None:
    posted = receive(of_chat(tenant))
    with tenant_atomic(tenant.id):
        said = list(posted.conversation.messages.values_list("position", "author", "body"))
    assert said == [(1, "customer", "Do you deliver?"), (2, "ai", "Yes."), (3, "customer", QUESTION)]


@DOORS
def test_a_full_queue_refuses_at_every_door_and_stores_nothing(door: Door, tenant: Tenant) -> None:
    make_question(tenant)
    inbound = door(tenant)
    with override_settings(TENANT_QUEUE=1), pytest.raises(Busy):
        receive(inbound)
    assert stored(tenant) == (1, 1)


@pytest.mark.parametrize("door", [of_visitor, of_api_client])
def test_a_door_of_another_tenant_leads_nowhere(door: Door, tenant: Tenant) -> None:
    inbound = door(make_tenant())
    elsewhere = Inbound(
        **{name: getattr(inbound, name) for name in Inbound.__slots__} | {"tenant_id": tenant.id}  # type: ignore[arg-type]
    )
    with pytest.raises(NotFound):
        receive(elsewhere)
    assert stored(tenant) == (0, 0)


@pytest.mark.parametrize("door", [of_visitor, of_api_client])
def test_the_same_message_that_arrives_many_times_at_once_is_stored_once(door: Door, tenant: Tenant) -> None:
    inbound, times = door(tenant), 6
    together = threading.Barrier(times)

    def post() -> PostedMessage:
        together.wait()
        return receive(inbound)

    with ThreadPoolExecutor(times) as pool:
        posted = [future.result() for future in [pool.submit(in_thread(post)) for _ in range(times)]]
    assert {(each.message, each.reply) for each in posted} == {(posted[0].message, posted[0].reply)}
    assert stored(tenant) == (1, 1)


def test_a_closed_conversation_takes_no_question_of_an_api_client(tenant: Tenant) -> None:
    inbound = of_api_client(tenant)
    domain.close_conversation(tenant_id=tenant.id, conversation_id=inbound.conversation.conversation_id)  # type: ignore[union-attr]
    with pytest.raises(ConversationClosed):
        receive(inbound)
    # That it was closed, and nothing else.
    assert stored(tenant) == (1, 0)


def test_behind_a_closed_conversation_a_visitors_message_begins_another(tenant: Tenant) -> None:
    conversation, _, _ = make_question(tenant)
    domain.close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)
    again, message, reply = make_question(tenant, visitor_id=conversation.visitor_id)
    assert again.id != conversation.id
    assert (message.position, reply is not None) == (1, True)


@pytest.mark.parametrize("door", [of_visitor, of_shell])
def test_an_api_client_asks_in_its_own_conversations_only(door: Door, tenant: Tenant) -> None:
    conversation_id = receive(door(tenant)).conversation.id
    inbound = from_api_client(
        tenant_id=tenant.id, conversation_id=conversation_id, client_id=uuid.uuid4(), body="Hi", parameters=AS_SET
    )
    with pytest.raises(NotAnApiConversation):
        receive(inbound)


@pytest.mark.parametrize("wish", ["I want to talk to a person", "转人工"])
def test_who_asks_for_a_person_waits_for_one_though_the_assistant_has_no_time(tenant: Tenant, wish: str) -> None:
    with override_settings(TENANT_QUEUE=0):
        replies = {door: receive(door(tenant, wish)).reply for door in (of_visitor, of_api_client)}
        with pytest.raises(Busy):
            receive(of_visitor(tenant, QUESTION))
        with pytest.raises(Busy):
            receive(of_shell(tenant, wish))
    assert replies == {of_visitor: None, of_api_client: None}
    with tenant_atomic(tenant.id):
        waiting = Conversation.objects.filter(status="waiting")
        assert set(waiting.values_list("channel", flat=True)) == {Channel.WIDGET, Channel.API}


def said_in(tenant: Tenant) -> list[tuple[str, str]]:
    with tenant_atomic(tenant.id):
        return list(Message.objects.order_by("position").values_list("author", "body"))


@pytest.mark.parametrize("wish", ["I want a person", "转人工"])
@pytest.mark.parametrize("door", [of_visitor, of_api_client])
def test_the_wish_for_a_person_is_fulfilled_with_the_message_and_asks_no_worker(
    door: Door, tenant: Tenant, wish: str
) -> None:
    """Nothing is queued, so that nobody has to live who would fetch it."""
    posted = receive(door(tenant, wish))
    assert (posted.reply, posted.conversation.status, stored(tenant)) == (None, "waiting", (2, 0))
    assert said_in(tenant) == [("customer", wish), ("system", "person_requested")]
    with tenant_atomic(tenant.id):
        assert waiting_position(posted.conversation) == 1
        facts = Fact.objects.filter(kind=FactKind.STATUS_CHANGED, conversation_id=posted.conversation.id)
        assert [fact.data["status"] for fact in facts] == ["waiting"]


@pytest.mark.parametrize("door", [of_visitor, of_api_client])
def test_the_same_wish_many_times_at_once_hands_over_once(door: Door, tenant: Tenant) -> None:
    inbound, times = door(tenant, "I want a person"), 6
    together = threading.Barrier(times)

    def post() -> PostedMessage:
        together.wait()
        return receive(inbound)

    with ThreadPoolExecutor(times) as pool:
        posted = [future.result() for future in [pool.submit(in_thread(post)) for _ in range(times)]]
    assert {(each.message, each.reply) for each in posted} == {(posted[0].message, None)}
    assert said_in(tenant) == [("customer", "I want a person"), ("system", "person_requested")]


def test_wishing_for_a_person_again_only_adds_what_was_written(tenant: Tenant) -> None:
    first = of_visitor(tenant, "人工")
    again = replace(first, client_id=uuid.uuid4(), body="人工！人工！")
    assert [receive(each).reply for each in (first, again)] == [None, None]
    assert [author for author, _ in said_in(tenant)] == ["customer", "system", "customer"]


def test_a_wish_ends_the_answer_that_is_on_its_way(tenant: Tenant) -> None:
    conversation, _, asked = make_question(tenant)
    wish = from_visitor(
        tenant_id=tenant.id,
        visitor_id=conversation.visitor_id,
        client_id=uuid.uuid4(),
        body="human please",
        language="en",
    )
    assert receive(wish).reply is None
    with tenant_atomic(tenant.id):
        assert list(Reply.objects.values_list("id", "status", "error_code")) == [(asked.id, "failed", "stopped")]


@pytest.mark.parametrize(
    ("kind", "answer", "status"),
    [
        ("refusal", "Yes, please", "waiting"),
        ("hand_off", "好的", "waiting"),
        ("direct", "Yes, please", "ai"),
        ("refusal", "Yes, but what does it cost?", "ai"),
    ],
)
def test_yes_to_the_offer_of_a_person_is_the_wish_for_one(tenant: Tenant, kind: str, answer: str, status: str) -> None:
    conversation, _, asked = make_question(tenant)
    with tenant_atomic(tenant.id):
        Reply.objects.filter(id=asked.id).update(status=ReplyStatus.DONE)
        append_message(conversation, author=Author.AI, body="Would you like to talk to a person?", kind=kind)
    yes = from_visitor(
        tenant_id=tenant.id, visitor_id=conversation.visitor_id, client_id=uuid.uuid4(), body=answer, language="en"
    )
    posted = receive(yes)
    assert (posted.conversation.status, posted.reply is None) == (status, status == "waiting")


def test_a_wish_that_waits_for_its_answer_gets_one_from_the_worker(tenant: Tenant) -> None:
    """A whole chat and a request to the model alone are answered; nobody follows what else becomes of them."""
    alone = replace(of_api_client(tenant, "I want a person"), parameters=RequestParameters(grounded=False))
    for inbound in (of_chat(tenant, "I want a person"), of_shell(tenant, "I want a person"), alone):
        posted = receive(inbound)
        assert (posted.reply is not None, posted.conversation.status) == (True, "ai")


def test_a_chat_that_finds_the_queue_full_is_refused_whatever_it_asks(tenant: Tenant) -> None:
    inbound = of_chat(tenant, "I want a person")
    with override_settings(TENANT_QUEUE=0), pytest.raises(Busy):
        receive(inbound)
    assert stored(tenant) == (0, 0)


def test_what_the_shell_and_batches_ask_stands_in_no_inbox(tenant: Tenant) -> None:
    receive(of_shell(tenant, "Asked by the operator"))
    submit(tenant, count=1)
    feed()
    receive(of_visitor(tenant, "Asked by a customer"))
    with tenant_atomic(tenant.id):
        shown, _ = page_of(Listed(), make_user(tenant).pk)
        assert [row.preview for row in shown] == ["Asked by a customer"]
        assert Conversation.objects.count() == 3


def test_nobody_takes_over_what_the_shell_or_a_batch_asked(tenant: Tenant, client: Client) -> None:
    receive(of_shell(tenant))
    submit(tenant, count=1)
    feed()
    agent = make_user(tenant)
    client.force_login(agent)
    with tenant_atomic(tenant.id):
        conversations = list(Conversation.objects.all())
    for conversation in conversations:
        arguments = {"tenant_slug": tenant.slug, "conversation_id": conversation.id}
        page = client.get(reverse("desk:conversation", kwargs=arguments)).content.decode()
        assert ('id="composer"' in page, "a batch job or the command line" in page) == (False, True)
        assert client.post(reverse("desk:reply", kwargs=arguments), {"body": "Hello!"}).status_code == 404
    with tenant_atomic(tenant.id):
        assert set(Conversation.objects.values_list("status", flat=True)) == {"ai"}


# -- The queue and its locks --


@contextmanager
def hanging_redis() -> Iterator[threading.Event]:
    """A server that takes commands and answers none; the event is set once it was asked something."""
    asked, taken = threading.Event(), []

    def serve() -> None:
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:
                return
            taken[-1].recv(1)
            asked.set()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        with override_settings(REDIS_URL=f"redis://127.0.0.1:{server.getsockname()[1]}/0"):
            redis_client.cache_clear()
            try:
                yield asked
            finally:
                server.shutdown(socket.SHUT_RDWR)
                for each in taken:
                    each.close()
    redis_client.cache_clear()


def open_transactions() -> int:
    """Of other connections than this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        return int(cursor.fetchone()[0])


@DOORS
def test_while_redis_hangs_a_post_holds_no_lock_and_no_transaction(door: Door, tenant: Tenant) -> None:
    inbound = door(tenant)
    with ThreadPoolExecutor(1) as pool:
        with hanging_redis() as asked:
            post = pool.submit(in_thread(receive, inbound))
            assert asked.wait(20)
            assert open_transactions() == 0
            with tenant_atomic(tenant.id):
                list(Assistant.objects.select_for_update(nowait=True))
                list(Visitor.objects.select_for_update(nowait=True))
                list(Conversation.objects.select_for_update(nowait=True))
            assert not post.done()
        # Redis is gone now: the question is stored all the same, and the sweep sends its task.
        assert post.result(60).reply is not None


def test_the_queue_cannot_be_read_inside_a_transaction(tenant: Tenant) -> None:
    with tenant_atomic(tenant.id), pytest.raises(QueueReadTooLate):
        read_queue()


@contextmanager
def other_post_in_progress(tenant: Tenant) -> Iterator[None]:
    """Another connection holds the tenant's admission lock."""
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        with tenant_atomic(tenant.id):
            list(Assistant.objects.select_for_update(no_key=True).filter(is_default=True))
            holding.set()
            release.wait(60)

    thread = threading.Thread(target=in_thread(hold))
    thread.start()
    try:
        assert holding.wait(20)
        yield
    finally:
        release.set()
        thread.join()


def test_items_of_a_batch_wait_for_no_customer_and_are_not_counted_among_them(tenant: Tenant) -> None:
    make_question(tenant)
    batch = submit(tenant, count=3)
    with ThreadPoolExecutor(1) as pool, override_settings(TENANT_QUEUE=1), other_post_in_progress(tenant):
        assert pool.submit(in_thread(feed)).result(20) == 3
    assert states(batch) == ["running"] * 3


def test_a_customer_waits_for_no_feeder(tenant: Tenant) -> None:
    batch = submit(tenant, count=2)
    inbound = of_visitor(tenant)
    with ThreadPoolExecutor(1) as pool, tenant_atomic(tenant.id):
        assert begin_items(batch.id, 2) == 2
        posted = pool.submit(in_thread(receive, inbound)).result(20)
    assert posted.reply is not None
    assert posted.reply.priority == 0

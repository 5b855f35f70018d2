"""A stop works at once, in whichever state the reply is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from unittest.mock import patch

import pytest

import inference_worker.answering.pipeline
import inference_worker.reply
from conversations.domain import close_conversation, post_person_message
from conversations.hand_off.writing import begin_writing, end_writing
from conversations.intake import ask_for_person
from conversations.models import AnswerStyle, Assistant, Conversation, Message, Reply
from conversations.replies import stop_reply
from helpdesk.streams.entries import conversation_stream
from helpdesk.streams.writer import client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.runtime import Runtime
from tests.factories import make_question, make_user
from tests.integration.inference_worker.conftest import DELIVERY, wait_for
from tests.integration.inference_worker.test_answering import ANSWER, QUESTION
from tracing.models import Trace

pytestmark = pytest.mark.django_db(transaction=True)

# Enough for a busy machine; the figure that counts is printed.
LONGEST_ABORT_SECONDS = 1.0

Stop = Callable[[Tenant, Conversation, Reply], None]


def stop(tenant: Tenant, conversation: Conversation, reply: Reply) -> None:
    stop_reply(tenant_id=tenant.id, conversation_id=conversation.id, reply_id=reply.id)


def close(tenant: Tenant, conversation: Conversation, reply: Reply) -> None:
    close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)


def ask(tenant: Tenant, conversation: Conversation, reply: Reply) -> None:
    ask_for_person(tenant_id=tenant.id, visitor_id=conversation.visitor_id, language="en")


def take_over(tenant: Tenant, conversation: Conversation, agent: User) -> None:
    post_person_message(tenant_id=tenant.id, conversation_id=conversation.id, user=agent, body="Hello!")


def begin(tenant: Tenant) -> tuple[Conversation, Reply]:
    conversation, _, reply = make_question(tenant, QUESTION)
    assert reply is not None
    return conversation, reply


def fresh(tenant: Tenant, reply: Reply) -> Reply:
    with tenant_atomic(tenant.id):
        found: Reply = Reply.objects.select_related("answer").get(id=reply.id)
        return found


def ended(tenant: Tenant, reply: Reply) -> Reply:
    wait_for(lambda: fresh(tenant, reply).finished_at)
    return fresh(tenant, reply)


def seconds_to_abort(engine: ScriptedEngine, action: Callable[[], None]) -> float:
    """From the call to the moment at which the engine has dropped the request."""
    aborted_at: list[float] = []

    def watch() -> None:
        deadline = time.monotonic() + 10
        while not engine.aborted and time.monotonic() < deadline:
            time.sleep(0.001)
        aborted_at.append(time.monotonic())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun = time.monotonic()
    action()
    watcher.join()
    assert engine.aborted
    return aborted_at[0] - begun


@pytest.mark.parametrize("act", [stop, close, ask])
def test_the_engine_drops_the_request_at_once_and_what_was_written_is_kept_and_marked(
    shop: Tenant, engine: ScriptedEngine, act: Stop
) -> None:
    engine.delay = 0.3
    conversation, reply = begin(shop)
    stream = conversation_stream(shop.id, conversation.id)
    wait_for(lambda: any(b'"delta"' in entry[b"e"] for _, entry in client().xrange(stream)))
    seconds = seconds_to_abort(engine, lambda: act(shop, conversation, reply))
    print(f"{act.__name__}: aborted after {seconds * 1000:.0f} ms")
    answer = ended(shop, reply).answer
    assert answer is not None
    assert (answer.outcome, answer.body in DELIVERY, 0 < len(answer.body) < len(ANSWER)) == ("stopped", True, True)
    assert seconds < LONGEST_ABORT_SECONDS


def test_a_person_who_takes_over_ends_the_generation_and_late_words_are_discarded(
    shop: Tenant, engine: ScriptedEngine
) -> None:
    engine.delay = 0.3
    agent = make_user(shop)
    conversation, reply = begin(shop)
    wait_for(lambda: engine.running)
    seconds = seconds_to_abort(engine, lambda: take_over(shop, conversation, agent))
    print(f"take_over: aborted after {seconds * 1000:.0f} ms")
    assert (ended(shop, reply).error_code, fresh(shop, reply).answer) == ("superseded", None)
    with tenant_atomic(shop.id):
        assert list(Message.objects.order_by("position").values_list("author", flat=True)) == ["customer", "person"]
    assert seconds < LONGEST_ABORT_SECONDS


def test_what_the_ai_had_written_when_a_person_took_over_is_kept_in_its_trace_alone(
    shop: Tenant, engine: ScriptedEngine
) -> None:
    engine.delay = 0.3
    agent = make_user(shop)
    conversation, reply = begin(shop)
    stream = conversation_stream(shop.id, conversation.id)
    wait_for(lambda: any(b'"delta"' in entry[b"e"] for _, entry in client().xrange(stream)))
    take_over(shop, conversation, agent)
    assert (ended(shop, reply).error_code, fresh(shop, reply).answer) == ("superseded", None)
    with tenant_atomic(shop.id):
        assert Trace.objects.get(reply_id=reply.id).outcome == "stopped"
        assert list(Message.objects.order_by("position").values_list("author", flat=True)) == ["customer", "person"]


def test_a_keystroke_sends_the_answer_back_to_the_queue_until_the_person_gives_up(
    shop: Tenant, engine: ScriptedEngine
) -> None:
    engine.delay = 0.3
    agent = make_user(shop)
    conversation, reply = begin(shop)
    stream = conversation_stream(shop.id, conversation.id)
    wait_for(lambda: any(b'"delta"' in entry[b"e"] for _, entry in client().xrange(stream)))
    where = {"tenant_id": shop.id, "conversation_id": conversation.id, "user": agent}
    seconds_to_abort(engine, lambda: begin_writing(**where))
    assert (fresh(shop, reply).status, fresh(shop, reply).answer) == ("queued", None)
    engine.delay = 0.0
    end_writing(**where)
    answered = ended(shop, reply)
    assert (answered.status, answered.attempt) == ("done", 2)
    with tenant_atomic(shop.id):
        assert list(Message.objects.order_by("position").values_list("author", flat=True)) == ["customer", "ai"]


def test_a_request_that_still_waits_in_the_engine_is_dropped(shop: Tenant, engine: ScriptedEngine) -> None:
    engine.max_num_seqs, engine.delay = 1, 0.3
    _, writing = begin(shop)
    wait_for(lambda: engine.running)
    conversation, waiting = begin(shop)
    wait_for(lambda: len(engine.requests) == 2)
    seconds_to_abort(engine, lambda: stop(shop, conversation, waiting))
    assert engine.aborted == [f"{waiting.id}-1"]
    assert (ended(shop, waiting).error_code, fresh(shop, waiting).answer) == ("stopped", None)
    engine.delay = 0.0
    assert ended(shop, writing).answer is not None


def test_a_reply_that_is_still_searching_never_reaches_the_engine(shop: Tenant, engine: ScriptedEngine) -> None:
    find, searching, go_on = inference_worker.answering.pipeline.find, threading.Event(), threading.Event()

    def slow_find(*args, **kwargs):  # type: ignore[no-untyped-def]
        searching.set()
        assert go_on.wait(20)
        return find(*args, **kwargs)

    with patch.object(inference_worker.answering.pipeline, "find", slow_find):
        conversation, reply = begin(shop)
        assert searching.wait(20)
        stop(shop, conversation, reply)
        go_on.set()
        assert ended(shop, reply).error_code == "stopped"
    assert engine.requests == []


def test_the_second_generation_is_dropped_too(shop: Tenant, engine: ScriptedEngine) -> None:
    with tenant_atomic(shop.id):
        Assistant.objects.update(style=AnswerStyle.GENERATE)
    texts, engine.texts = engine.texts, ["Nothing of this stands anywhere."]
    try:
        engine.delay = 0.2
        conversation, reply = begin(shop)
        wait_for(lambda: len(engine.requests) == 2)
        seconds_to_abort(engine, lambda: stop(shop, conversation, reply))
        ended(shop, reply)
    finally:
        engine.texts = texts
    assert engine.aborted == [f"{reply.id}-1-quote"]


def test_a_stop_that_redis_did_not_deliver_is_found_in_the_row(
    shop: Tenant, engine: ScriptedEngine, worker: Runtime
) -> None:
    engine.delay = 0.3
    conversation, reply = begin(shop)
    wait_for(lambda: engine.running)
    with patch("conversations.replies.ends.ask_to_stop"):
        stop(shop, conversation, reply)
    worker._renew()
    wait_for(lambda: engine.aborted)
    ended(shop, reply)


def test_a_reply_past_its_deadline_is_not_begun(shop: Tenant, engine: ScriptedEngine, worker: Runtime) -> None:
    with patch("conversations.replies.sending.enqueue_reply"):
        _, reply = begin(shop)
    with tenant_atomic(shop.id):
        Reply.objects.update(deadline_at="2020-01-01T00:00:00Z")
    inference_worker.reply.answer(worker, tenant_id=shop.id, reply_id=reply.id)
    assert (ended(shop, reply).error_code, engine.requests) == ("deadline", [])

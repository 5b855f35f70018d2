"""API clients and the real worker: waiting for an answer, following it as it is written, stopping it."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import connections

from conversations.models import Message, Reply
from helpdesk.streams.entries import conversation_stream
from helpdesk.streams.writer import client as redis_client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.runtime import runtime
from tests.api_access import api_call
from tests.event_stream import EventStream, in_thread
from tests.factories import make_api_key
from tests.integration.inference_worker.conftest import wait_for
from tracing.models import Trace

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/conversations"
QUESTION = "How long does standard delivery take?"


def begin(key: str) -> str:
    return str(api_call("POST", PATH, key, {}).json()["id"])


def ask(key: str, conversation: str, **fields: Any) -> Any:
    return api_call("POST", f"{PATH}/{conversation}/messages", key, {"body": QUESTION, **fields})


def test_waiting_brings_the_final_answer(shop: Tenant) -> None:
    key = make_api_key(shop)
    conversation = begin(key)
    response = ask(key, conversation, wait=30)
    asked = response.json()
    assert (response.status_code, asked["reply"]["status"]) == (200, "done")
    assert "three to five working days" in asked["reply"]["answer"]["body"]
    assert asked["reply"]["answer"]["sources"][0]["title"] == "Delivery and returns"
    assert "passage" not in asked["reply"]["answer"]["sources"][0]
    history = api_call("GET", f"{PATH}/{conversation}/messages", key).json()["data"]
    assert history == [asked["message"], asked["reply"]["answer"]]


async def test_a_stream_shows_the_answer_growing_and_ends_with_it(shop: Tenant) -> None:
    key = await in_thread(make_api_key)(shop)
    conversation = await in_thread(begin)(key)
    reply = (await in_thread(ask)(key, conversation)).json()["reply"]["id"]
    stream = await EventStream(f"{PATH}/{conversation}/replies/{reply}/stream", key).open()
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
    assert stream.headers["x-accel-buffering"] == "no"
    assert "ratelimit-remaining" in stream.headers
    events = [event async for event in stream.events()]
    assert events[0]["event"] == "reply"
    assert events[-1]["event"] == "done"
    deltas = [event for event in events if event["event"] == "delta"]
    assert [delta["sequence"] for delta in deltas] == list(range(1, len(deltas) + 1))
    assert "".join(delta["text"] for delta in deltas).strip() == events[-1]["message"]["body"]
    read = await in_thread(api_call)("GET", f"{PATH}/{conversation}/replies/{reply}", key)
    assert read.json()["answer"] == events[-1]["message"]


async def test_a_dropped_stream_goes_on_behind_the_last_event(shop: Tenant, engine: ScriptedEngine) -> None:
    engine.delay = 0.05
    key = await in_thread(make_api_key)(shop)
    conversation = await in_thread(begin)(key)
    reply = (await in_thread(ask)(key, conversation)).json()["reply"]["id"]
    path = f"{PATH}/{conversation}/replies/{reply}/stream"
    first = await EventStream(path, key).open()
    seen: list[dict[str, Any]] = []
    async for event in first.events():
        seen.append(event)
        if event["event"] == "delta":
            break
    await first.leave()
    second = await EventStream(path, key, **{"last-event-id": seen[-1]["id"]}).open()
    seen += [event async for event in second.events()]
    sequences = [event["sequence"] for event in seen if event["event"] == "delta"]
    assert sequences == list(range(1, len(sequences) + 1))
    assert [event["event"] for event in seen].count("done") == 1


async def test_the_end_comes_from_the_row_when_the_stream_is_gone(shop: Tenant) -> None:
    key = await in_thread(make_api_key)(shop)
    conversation = await in_thread(begin)(key)
    asked = (await in_thread(ask)(key, conversation, wait=30)).json()
    redis_client().delete(conversation_stream(shop.id, uuid.UUID(conversation)))
    path = f"{PATH}/{conversation}/replies/{asked['reply']['id']}/stream"
    stream = await EventStream(path, key, **{"last-event-id": "1-1"}).open()
    (only,) = [event async for event in stream.events()]
    assert (only["event"], only["message"]) == ("done", asked["reply"]["answer"])


def test_the_same_message_sent_twice_at_once_is_asked_once(shop: Tenant, engine: ScriptedEngine) -> None:
    engine.delay = 0.1
    key = make_api_key(shop)
    conversation = begin(key)
    path, body = f"{PATH}/{conversation}/messages", {"body": QUESTION, "wait": 30}
    together = threading.Barrier(2)
    answers: list[Any] = []

    def send() -> None:
        together.wait(10)
        answers.append(api_call("POST", path, key, body, Idempotency_Key="once"))
        connections.close_all()

    senders = [threading.Thread(target=send) for _ in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    done, refused = sorted(answers, key=lambda answer: int(answer.status_code))
    assert (done.status_code, refused.status_code) == (200, 409)
    assert refused.json()["error"]["code"] == "idempotency_in_progress"
    again = api_call("POST", path, key, body, Idempotency_Key="once")
    assert (again.json(), again["Idempotent-Replayed"]) == (done.json(), "true")
    with tenant_atomic(shop.id):
        assert (Message.objects.count(), Reply.objects.count(), Trace.objects.count()) == (2, 1, 1)
    assert len(engine.requests) == 1


def test_a_stopped_reply_ends_for_the_one_who_waits(shop: Tenant, engine: ScriptedEngine) -> None:
    engine.delay = 0.3
    key = make_api_key(shop)
    conversation = begin(key)
    answers: list[Any] = []

    def wait() -> None:
        answers.append(ask(key, conversation, wait=60))
        connections.close_all()

    waiting = threading.Thread(target=wait)
    waiting.start()
    wait_for(lambda: running(shop))
    reply = str(running(shop)[0])
    assert api_call("POST", f"{PATH}/{conversation}/replies/{reply}/stop", key).status_code == 202
    waiting.join(30)
    assert not waiting.is_alive()
    ended_as = answers[0].json()["reply"]
    assert (answers[0].status_code, ended_as["id"]) == (200, reply)
    assert ended_as["status"] in {"done", "failed"}
    assert (ended_as["answer"] or {"outcome": "stopped"})["outcome"] == "stopped"


def test_a_conversation_deleted_in_mid_answer_keeps_nothing_of_it(shop: Tenant, engine: ScriptedEngine) -> None:
    engine.delay = 0.3
    key = make_api_key(shop)
    conversation = begin(key)
    reply = ask(key, conversation).json()["reply"]["id"]
    wait_for(lambda: running(shop))
    assert api_call("DELETE", f"{PATH}/{conversation}", key).status_code == 204
    engine.delay = 0.0
    wait_for(lambda: runtime().is_idle)
    with tenant_atomic(shop.id):
        row = Reply.objects.get(id=reply)
        assert (row.status, row.error_code, row.answer_id) == ("failed", "deleted", None)
        assert list(Message.objects.values_list("body", flat=True)) == [""]
        assert Trace.objects.count() == 0


def running(tenant: Tenant) -> list[uuid.UUID]:
    with tenant_atomic(tenant.id):
        return list(Reply.objects.filter(status="running").values_list("id", flat=True))


def ended(tenant: Tenant, reply_id: str) -> bool:
    with tenant_atomic(tenant.id):
        return Reply.objects.filter(id=reply_id, status__in=["done", "failed"]).exists()

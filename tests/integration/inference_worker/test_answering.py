"""The main path: socket, database, queue, worker, stream, trace; only the model's words are scripted."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from conversations.domain import post_person_message
from conversations.models import Message, Reply
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.finding import find
from inference_worker.answering.results import Found
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.runtime import Runtime
from knowledge.models import Chunk
from tests.factories import make_tenant, make_user
from tests.integration.inference_worker.customer import Customer
from tracing.content import Confidence
from tracing.models import Trace
from tracing.read import open_trace_from_shell

QUESTION = "How many working days does express delivery take?"
ANSWER = "Express delivery takes one working day and costs nine euros."


def off_loop(function):  # type: ignore[no-untyped-def]
    """Run in a thread that gives its connection back to the pool."""

    def run(*args, **kwargs):  # type: ignore[no-untyped-def]
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return sync_to_async(run, thread_sensitive=False)


def scoped(tenant: Tenant, function):  # type: ignore[no-untyped-def]
    def run():  # type: ignore[no-untyped-def]
        with tenant_atomic(tenant.id):
            return function()

    return off_loop(run)()


async def customer_of(tenant: Tenant) -> Customer:
    return await off_loop(Customer)(tenant)


async def test_a_question_is_answered_with_its_source_and_one_sealed_trace(shop: Tenant) -> None:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(QUESTION)
    await customer.until(lambda: customer.done)
    await customer.drop()
    (answer,) = customer.answers
    assert ANSWER in answer["body"]
    assert answer["outcome"] == "answered"
    assert answer["sources"][0]["title"] == "Delivery and returns"
    assert "passage" not in answer["sources"][0]
    phases = [frame["phase"] for frame in customer.frames if frame["type"] == "phase"]
    assert phases == ["searching", "writing", "checked"]
    streamed = "".join(frame["text"] for frame in customer.frames if frame["type"] == "delta")
    assert streamed.strip() == answer["body"]

    def read() -> tuple[str, str, int]:
        trace = Trace.objects.get()
        content = open_trace_from_shell(trace=trace, reason="a test reads it")
        assert content.prompt is not None
        return content.question, content.answer, len(content.tokens)

    question, text, token_count = await scoped(shop, read)
    assert (question, text) == (QUESTION, answer["body"])
    assert token_count > 3


@pytest.mark.parametrize(("awaiting", "band"), [("nothing", "high"), ("vectors", "low"), ("the search", "low")])
async def test_while_a_passage_awaits_its_vectors_every_answer_has_low_confidence(
    shop: Tenant, monkeypatch: pytest.MonkeyPatch, awaiting: str, band: str
) -> None:
    def rated_high(measured: Confidence, model: object) -> Confidence:
        return replace(measured, band="high")

    def set_vectors(vector: list[float] | None) -> int:
        with tenant_atomic(shop.id):
            return int(Chunk.objects.filter(heading__contains="Returns").update(embedding=vector))

    def find_and_complete(*arguments: Any, **named: Any) -> Found:
        found = find(*arguments, **named)
        set_vectors([1.0] + [0.0] * 383)
        return found

    monkeypatch.setattr("inference_worker.answering.judging.calibrated", rated_high)
    if awaiting != "nothing":
        assert await off_loop(set_vectors)(None) == 1
    if awaiting == "the search":
        monkeypatch.setattr("inference_worker.answering.pipeline.find", find_and_complete)
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(QUESTION)
    await customer.until(lambda: customer.done)
    await customer.drop()
    assert [answer["confidence_band"] for answer in customer.answers] == [band]
    assert await scoped(shop, lambda: Trace.objects.get().confidence_band) == band


async def test_an_unanswerable_question_is_declined_without_asking_the_engine(
    shop: Tenant, engine: ScriptedEngine
) -> None:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask("Who won the football world cup in 1998?")
    await customer.until(lambda: customer.done)
    await customer.drop()
    (answer,) = customer.answers
    assert (answer["outcome"], answer["sources"], engine.requests) == ("refused", [], [])
    assert "person" in answer["body"]


async def test_a_chinese_question_gets_its_refusal_in_chinese(shop: Tenant) -> None:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask("明天会下雨吗？")
    await customer.until(lambda: customer.done)
    await customer.drop()
    assert (customer.answers[0]["outcome"], customer.answers[0]["language"]) == ("refused", "zh")


async def test_dropping_the_socket_at_random_points_of_50_answers_loses_and_repeats_nothing(
    shop: Tenant, engine: ScriptedEngine
) -> None:
    engine.delay = 0.004
    dice = random.Random(11)

    async def converse() -> None:
        customer = await customer_of(shop)
        await customer.connect()
        await customer.ask(QUESTION)
        drops = 0
        while not customer.answers:
            for _ in range(dice.randint(1, 6)):
                if not customer.answers:
                    await customer.receive()
            if drops < 4 and not customer.answers:
                drops += 1
                await customer.drop()
                await customer.connect(resume=True)
        await customer.until(lambda: customer.answers)
        await customer.drop()
        (answer,) = customer.answers
        assert customer.gaps == 0
        assert len(customer.done) <= 1
        assert ANSWER in answer["body"]

    for _ in range(5):
        await asyncio.gather(*(converse() for _ in range(10)))

    def count() -> tuple[int, int, int]:
        return (
            Message.objects.filter(author="ai").count(),
            Reply.objects.filter(status="done").count(),
            Trace.objects.count(),
        )

    assert await scoped(shop, count) == (50, 50, 50)


async def test_stop_aborts_in_the_engine_and_keeps_the_marked_part(shop: Tenant, engine: ScriptedEngine) -> None:
    engine.delay = 0.1
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(QUESTION)
    await customer.until(lambda: any(frame["type"] == "delta" for frame in customer.frames))
    (reply_id,) = customer.writing
    await customer.send(type="stop", reply=reply_id)
    await customer.until(lambda: customer.done)
    await customer.drop()
    (answer,) = customer.answers
    assert answer["outcome"] == "stopped"
    assert 0 < len(answer["body"]) < len(ANSWER)
    assert len(engine.aborted) == 1


async def test_a_person_taking_over_discards_the_answer_in_progress(shop: Tenant, engine: ScriptedEngine) -> None:
    engine.delay = 0.1
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(QUESTION)
    await customer.until(lambda: any(frame["type"] == "delta" for frame in customer.frames))
    agent = await off_loop(make_user)(shop)
    conversation = next(frame for frame in customer.frames if frame["type"] == "ready" and frame["conversation"])
    await off_loop(post_person_message)(
        tenant_id=shop.id, conversation_id=conversation["conversation"]["id"], user=agent, body="Let me help you."
    )
    await customer.until(lambda: customer.failed)
    await customer.drop()
    assert list(customer.failed.values()) == ["superseded"]
    assert [message["author"] for message in customer.messages.values()] == ["customer", "person"]


async def test_a_follow_up_is_searched_with_its_predecessors_words(shop: Tenant) -> None:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(QUESTION)
    await customer.until(lambda: len(customer.done) == 1)
    await customer.ask("And what does it cost?")
    await customer.until(lambda: len(customer.done) == 2)
    await customer.drop()
    assert "nine euros" in customer.answers[1]["body"]


async def test_history_comes_back_after_a_reload(shop: Tenant) -> None:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(QUESTION)
    await customer.until(lambda: customer.done)
    await customer.drop()
    again = await off_loop(Customer)(shop, customer.visitor_id)
    await again.connect()
    await again.until(lambda: again.messages)
    await again.drop()
    assert list(again.messages) == list(customer.messages)


async def test_another_visitor_and_another_tenant_see_nothing(shop: Tenant) -> None:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(QUESTION)
    await customer.until(lambda: customer.done)
    await customer.drop()
    stranger = await customer_of(shop)
    await stranger.connect()
    first = await stranger.receive()
    await stranger.drop()
    assert (first["type"], first["conversation"], first["messages"]) == ("ready", None, [])
    other = await off_loop(make_tenant)()
    intruder = await off_loop(Customer)(shop, customer.visitor_id)
    intruder.tenant = other
    await intruder.connect()
    assert intruder.socket is not None
    closed = await intruder.socket.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)


async def test_an_engine_that_dies_in_mid_answer_is_waited_for_and_the_answer_begun_anew(
    shop: Tenant, engine: ScriptedEngine
) -> None:
    engine.delay = 0.05
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(QUESTION)
    await customer.until(lambda: any(frame["type"] == "delta" for frame in customer.frames))
    engine.kill()
    await customer.until(lambda: customer.done or customer.failed, 60)
    await customer.drop()
    (answer,) = customer.answers
    assert ANSWER in answer["body"]
    assert {frame["attempt"] for frame in customer.frames if frame["type"] == "delta"} == {1, 2}
    assert customer.gaps == 0
    assert await scoped(shop, Trace.objects.count) == 1


@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        "[]",
        '{"no": "type"}',
        '{"type": 7}',
        '{"type": "launch"}',
        '{"type": "stop"}',
        '{"type": "stop", "reply": "not-a-uuid"}',
        '{"type": "message", "client_id": "x", "body": "hi"}',
        '{"type": "message", "body": "hi"}',
        "[" * 50_000,
        '{"type": ' + "9" * 6_000 + "}",
        '{"type": "message", "body": "' + "x" * 70_000 + '"}',
    ],
    ids=range(12),
)
async def test_a_malformed_frame_is_refused_in_a_sentence_and_changes_nothing(shop: Tenant, frame: str) -> None:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.receive()
    assert customer.socket is not None
    await customer.socket.send_to(text_data=frame)
    answer = await customer.receive()
    assert answer["type"] == "error"
    assert len(answer["error"]["message"]) > 10
    assert await scoped(shop, Message.objects.count) == 0
    await customer.ask(QUESTION)
    await customer.until(lambda: customer.done)
    await customer.drop()


async def test_binary_frames_are_refused_and_three_in_a_row_close_the_socket(shop: Tenant) -> None:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.receive()
    assert customer.socket is not None
    for _ in range(3):
        await customer.socket.send_to(bytes_data=b"\x00\x01")
        assert (await customer.receive())["type"] == "error"
    closed = await customer.socket.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4400)


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b""])
async def test_a_wrong_origin_is_closed_with_its_code(shop: Tenant, origin: bytes) -> None:
    from channels.testing import WebsocketCommunicator

    from helpdesk.asgi import application

    headers = [(b"origin", origin), (b"host", b"localhost")] if origin else [(b"host", b"localhost")]
    socket = WebsocketCommunicator(
        application, f"/ws/widget/{shop.slug}/", headers=headers, subprotocols=["glassdesk.v1"]
    )
    await socket.connect(timeout=10)
    closed = await socket.receive_output(timeout=10)
    assert closed["code"] == 4403


async def test_an_unknown_tenant_is_closed_with_its_code(worker: Runtime) -> None:
    from channels.testing import WebsocketCommunicator

    from helpdesk.asgi import application
    from tests.integration.inference_worker.customer import ORIGIN

    socket = WebsocketCommunicator(
        application, "/ws/widget/nobody/", headers=ORIGIN, subprotocols=["glassdesk.v1", "visitor.x"]
    )
    await socket.connect(timeout=10)
    closed = await socket.receive_output(timeout=10)
    assert closed["code"] == 4404


async def test_passages_that_a_question_finds_before_they_are_indexed_are_indexed_at_once(shop: Tenant) -> None:
    """A large import waits for its vectors; the first question cannot wait for it."""
    await scoped(shop, lambda: Chunk.objects.update(embedding=None, sentence_embeddings=None))
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(QUESTION)
    await customer.until(lambda: customer.done)
    await customer.drop()
    assert [ANSWER in answer["body"] for answer in customer.answers] == [True]
    assert [(answer["confidence_band"], answer["while_indexing"]) for answer in customer.answers] == [("low", True)]
    content = await scoped(shop, lambda: open_trace_from_shell(trace=Trace.objects.get(), reason="a test reads it"))
    assert content.confidence.while_indexing
    steps = await scoped(shop, lambda: [step["name"] for step in Trace.objects.get().steps])
    assert [step for step in steps if step in {"retrieve", "index"}] == ["retrieve", "index", "retrieve"]
    assert await scoped(shop, lambda: Chunk.objects.filter(embedding__isnull=True).count()) == 0

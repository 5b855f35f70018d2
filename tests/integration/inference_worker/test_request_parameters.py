"""What one request asks for reaches the engine, the answer and the trace; the model alone answers without articles."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.domain import begin_visit
from conversations.models import AnswerStyle, Assistant, Author, Channel, Conversation, Message, Reply, ReplyStatus
from conversations.parameters import RequestParameters
from conversations.queueing import enqueue_reply
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.analysis.replay import replay_request
from inference_worker.engine.scripted import ScriptedEngine
from tests.factories import make_user
from tests.integration.inference_worker.conftest import wait_for
from tests.integration.inference_worker.test_answering import ANSWER, QUESTION
from tracing.content import TraceContent
from tracing.models import Trace
from tracing.read import open_trace_from_shell

SCHEMA = {
    "type": "object",
    "properties": {"days": {"type": "integer"}, "currency": {"enum": ["EUR", "USD"]}},
    "required": ["days", "currency"],
}


def ask(tenant: Tenant, *turns: tuple[Author, str], **parameters: Any) -> Reply:
    """The finished reply to the last turn."""
    visitor_id = begin_visit(tenant.id)
    with tenant_atomic(tenant.id):
        conversation = Conversation.objects.create(
            visitor_id=visitor_id, assistant=Assistant.objects.get(), channel=Channel.API, message_count=len(turns)
        )
        messages = [
            Message.objects.create(conversation=conversation, position=number, author=author, body=body)
            for number, (author, body) in enumerate(turns, 1)
        ]
        reply = Reply.objects.create(
            conversation=conversation,
            question=messages[-1],
            deadline_at=timezone.now() + timedelta(seconds=60),
            parameters=RequestParameters(**parameters).to_json(),
        )
    enqueue_reply(tenant.id, reply.id, model="", priority=0)

    def finished() -> bool:
        with tenant_atomic(tenant.id):
            reply.refresh_from_db()
        return reply.status in {ReplyStatus.DONE, ReplyStatus.FAILED}

    wait_for(finished)
    return reply


def recorded(tenant: Tenant, reply: Reply) -> tuple[Message, Trace, TraceContent]:
    """The answer with its trace, opened."""
    with tenant_atomic(tenant.id):
        trace = Trace.objects.get(reply=reply)
        message = Reply.objects.select_related("answer").get(id=reply.id).answer
        assert message is not None
        return message, trace, open_trace_from_shell(trace=trace, reason="a test reads it")


def script(engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(engine, "texts", [text])


def test_the_model_alone_gets_every_message_as_it_is_and_nothing_else(
    shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "Nineteen.")
    said = [(Author.CUSTOMER if n % 2 == 0 else Author.AI, f"number {n}") for n in range(20)]
    reply = ask(shop, *said, (Author.CUSTOMER, QUESTION), grounded=False, instructions="Count.")
    message, trace, content = recorded(shop, reply)
    (request,) = engine.requests
    turns = [("system", "Count."), *[("user" if n % 2 == 0 else "assistant", f"number {n}") for n in range(20)]]
    assert request.prompt.text == (
        "".join(f"<|\u200b{role}|>\n{text}\n" for role, text in [*turns, ("user", QUESTION)]).replace("\u200b", "")
        + "<|assistant|>\n"
    )
    assert (message.body, message.outcome, message.sources, message.confidence_band) == (
        "Nineteen.",
        "answered",
        [],
        "",
    )
    assert (trace.style, trace.candidate_count, trace.source_count, trace.confidence_band, trace.finish_reason) == (
        AnswerStyle.FREE,
        0,
        0,
        "low",
        "stop",
    )
    assert (content.candidates, content.selection, content.search_query, content.embedder) == ((), None, None, None)
    assert content.confidence.retrieval is None
    assert content.confidence.token_probability is not None
    assert content.confidence.groundedness is None
    assert content.prompt is not None
    assert content.prompt.template_version == "none"


def test_sampling_reaches_the_engine_and_stands_in_the_trace(shop: Tenant, engine: ScriptedEngine) -> None:
    reply = ask(
        shop,
        (Author.CUSTOMER, "Hello"),
        grounded=False,
        temperature=0.7,
        top_p=0.8,
        max_tokens=5,
        seed=11,
        stop=("§",),
        top_logprobs=8,
    )
    _, trace, content = recorded(shop, reply)
    sampling = engine.requests[-1].sampling
    assert (sampling.temperature, sampling.top_p, sampling.max_tokens, sampling.seed, sampling.stop) == (
        0.7,
        0.8,
        5,
        11,
        ("§",),
    )
    assert content.sampling is not None
    assert (content.sampling.temperature, content.sampling.seed, content.sampling.stop) == (0.7, 11, ("§",))
    assert len(content.tokens[0].alternatives) == 8
    assert (trace.finish_reason, trace.answer_tokens) == ("length", 5)


def test_a_stop_text_ends_the_answer_and_is_reported_as_such(
    shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "One. Two. Three.")
    message, trace, _ = recorded(shop, ask(shop, (Author.CUSTOMER, "Count"), grounded=False, stop=(" Two",)))
    assert (message.body, trace.finish_reason) == ("One.", "stop")


def test_messages_that_do_not_fit_fail_before_the_engine_is_asked(shop: Tenant, engine: ScriptedEngine) -> None:
    reply = ask(shop, (Author.CUSTOMER, "word " * 300), (Author.CUSTOMER, "Why?"), grounded=False, max_tokens=1800)
    assert (reply.status, reply.error_code, engine.requests) == (ReplyStatus.FAILED, "context_length", [])


def test_a_json_schema_makes_the_answer_json_and_is_part_of_the_replay(shop: Tenant, engine: ScriptedEngine) -> None:
    reply = ask(shop, (Author.CUSTOMER, "How much?"), grounded=False, json_schema=SCHEMA)
    message, _, content = recorded(shop, reply)
    assert json.loads(message.body) == {"days": 1, "currency": "EUR"}
    assert replay_request(content, engine, request_id="again", priority=1).sampling == engine.requests[-1].sampling


def test_a_quote_is_whole_whatever_limits_the_request_names(shop: Tenant, engine: ScriptedEngine) -> None:
    reply = ask(
        shop, (Author.CUSTOMER, QUESTION), max_tokens=2, stop=("takes",), temperature=2.0, instructions="Rhyme."
    )
    message, trace, content = recorded(shop, reply)
    assert ANSWER in message.body
    assert (trace.style, trace.finish_reason, trace.candidate_count) == (AnswerStyle.QUOTE, "stop", 3)
    assert content.sampling is not None
    assert (content.sampling.temperature, content.sampling.stop) == (0.0, ())
    assert "Rhyme." in engine.requests[-1].prompt.text


def test_an_empty_answer_of_the_model_alone_is_an_answer(
    shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, " ")
    message, trace, _ = recorded(shop, ask(shop, (Author.CUSTOMER, "Say nothing"), grounded=False))
    assert (message.body, message.outcome, trace.finish_reason) == ("", "answered", "stop")


def test_the_report_of_the_model_alone_says_that_nothing_was_checked(
    shop: Tenant, engine: ScriptedEngine, client: Client
) -> None:
    reply = ask(shop, (Author.CUSTOMER, "How much?"), grounded=False, json_schema=SCHEMA, instructions="Be exact.")
    client.force_login(make_user(shop, Role.REVIEWER), backend="allauth.account.auth_backends.AuthenticationBackend")
    opened = client.post(reverse("tracing:open", args=[shop.slug, reply.id]), {"reason": "a test reads it"})
    page = opened.content.decode()
    assert opened.status_code == 200
    assert "no articles were searched, and the answer" in page
    assert "The model alone, without articles" in page
    assert "Nothing was searched" in page
    assert "Which passage led to each sentence" not in page
    assert "Be exact." in page

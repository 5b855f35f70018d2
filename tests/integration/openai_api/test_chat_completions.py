"""OpenAI's own client, unmodified, against the web process and a worker: answers, streams, extras, usage."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import openai
import pydantic
import pytest

from conversations.models import AnswerStyle, Assistant, Channel, Conversation, Reply
from helpdesk.streams.entries import conversation_stream
from helpdesk.streams.writer import client as redis_client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.scripted import ScriptedEngine
from tests.factories import make_api_key, make_tenant
from tests.integration.inference_worker.conftest import wait_for
from tests.integration.inference_worker.test_answering import ANSWER, QUESTION
from tests.integration.openai_api.conftest import Web
from tracing.models import Trace, TraceAccess

ALONE = {"glassdesk": {"grounded": False}}
SCHEMA = {
    "type": "object",
    "properties": {"days": {"type": "integer"}, "currency": {"enum": ["EUR", "USD"]}},
    "required": ["days", "currency"],
    "additionalProperties": False,
}


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def ask(client: openai.OpenAI, question: str = QUESTION, **fields: Any) -> Any:
    fields = {"model": "default", "messages": user(question)} | fields
    return client.chat.completions.create(**fields)


def script(engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    monkeypatch.setattr(engine, "texts", list(texts))


def test_an_answer_comes_with_its_sources_its_trace_and_what_it_took(client: openai.OpenAI, shop: Tenant) -> None:
    answer = ask(client)
    (choice,) = answer.choices
    assert ANSWER in choice.message.content
    assert (choice.finish_reason, choice.logprobs, answer.outcome, answer.model) == (
        "stop",
        None,
        "answered",
        "scripted",
    )
    assert answer.sources[0]["title"] == "Delivery and returns"
    assert "passage" not in answer.sources[0]
    with tenant_atomic(shop.id):
        trace = Trace.objects.get(id=UUID(answer.trace_id))
        conversation = Conversation.objects.get()
        assert (conversation.channel, conversation.message_count) == (Channel.API, 2)
    assert answer.confidence == trace.confidence_band
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (trace.prompt_tokens, trace.answer_tokens)
    assert answer.usage.total_tokens == trace.prompt_tokens + trace.answer_tokens
    assert answer.usage.prompt_tokens_details.cached_tokens == trace.cached_prompt_tokens


def test_what_no_article_answers_is_declined_without_the_engine(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    answer = ask(client, "Who won the football world cup in 1998?")
    assert (answer.outcome, answer.sources, answer.choices[0].finish_reason) == ("refused", [], "stop")
    assert (answer.usage.total_tokens, engine.requests) == (0, [])


def test_the_model_alone_gets_the_whole_conversation(
    client: openai.OpenAI, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "Paris, of course.")
    messages = [
        {"role": "system", "content": "Answer like a teacher."},
        {"role": "user", "content": "What is the capital of Italy?"},
        {"role": "assistant", "content": "Rome."},
        {"role": "user", "content": "And of France?"},
    ]
    answer = ask(client, messages=messages, extra_body=ALONE, temperature=0.9, seed=4, max_completion_tokens=30)
    assert (answer.choices[0].message.content, answer.confidence, answer.sources) == ("Paris, of course.", None, [])
    (request,) = engine.requests
    assert [text for text in request.prompt.text.split("\n") if text and not text.startswith("<|")] == [
        message["content"] for message in messages
    ]
    assert (request.sampling.temperature, request.sampling.seed, request.sampling.max_tokens) == (0.9, 4, 30)


def test_what_clients_and_frameworks_send_of_themselves_is_taken(
    client: openai.OpenAI, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "Paris.")
    answer = client.chat.completions.create(
        model="default",
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "Hello"}], "name": "ana"},
            {"role": "assistant", "content": None, "refusal": None},
            {"role": "system", "content": "The capital is asked for."},
            {"role": "user", "content": "Of France?"},
            {"role": "developer", "content": "Be brief."},
        ],
        verbosity="medium", logprobs=False, top_logprobs=0, top_p=0, seed=-1, n=1, stop=None, tools=[], tool_choice="auto",
        parallel_tool_calls=True, user="ana", metadata={"run": "1"}, store=False, service_tier="auto",
        response_format={"type": "text"}, reasoning_effort="medium", logit_bias={}, presence_penalty=0, frequency_penalty=0,
        max_completion_tokens=50, max_tokens=None, modalities=["text"], extra_body=ALONE,
    )  # fmt: skip
    assert answer.choices[0].message.content == "Paris."
    (request,) = engine.requests
    assert [text for text in request.prompt.text.split("\n") if text and not text.startswith("<|")] == [
        "The capital is asked for.", "Be brief.", "Hello", "Of France?",
    ]  # fmt: skip
    assert (request.sampling.seed, request.sampling.top_p) == (2**31 - 1, 0.01)


def test_finish_reasons_are_the_engines(
    client: openai.OpenAI, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "One two three four.")
    cut = ask(client, extra_body=ALONE, max_tokens=2).choices[0]
    stopped = ask(client, extra_body=ALONE, stop=[" three"]).choices[0]
    assert (cut.message.content, cut.finish_reason) == ("One two", "length")
    assert (stopped.message.content, stopped.finish_reason) == ("One two", "stop")


def test_a_stream_is_the_answer_in_pieces_then_its_sources_then_its_usage(
    client: openai.OpenAI, engine: ScriptedEngine
) -> None:
    engine.delay = 0.03
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    *written, last, usage = chunks
    texts = [chunk.choices[0].delta.content for chunk in written]
    assert written[0].choices[0].delta.role == "assistant"
    assert len(texts) > 3
    assert ANSWER in "".join(texts)
    assert (last.choices[0].finish_reason, last.outcome, last.sources[0]["title"]) == (
        "stop",
        "answered",
        "Delivery and returns",
    )
    assert UUID(last.trace_id)
    assert (usage.choices, usage.usage.completion_tokens > 3) == ([], True)
    assert {chunk.usage for chunk in chunks[:-1]} == {None}
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1


def test_a_refusal_streams_too(client: openai.OpenAI) -> None:
    chunks = list(ask(client, "Who won the football world cup in 1998?", stream=True))
    assert "person" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].outcome == "refused"


async def test_the_asynchronous_client_streams_many_answers_at_once(
    web: Web, shop: Tenant, engine: ScriptedEngine
) -> None:
    engine.delay = 0.02
    key = await asyncio.to_thread(make_api_key, shop)
    async with openai.AsyncOpenAI(api_key=key, base_url=f"{web.url}/v1", max_retries=0) as client:

        async def one() -> str:
            stream = await client.chat.completions.create(model="default", messages=user(QUESTION), stream=True)  # type: ignore[arg-type]
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        answers = await asyncio.gather(*(one() for _ in range(8)))
    assert all(ANSWER in answer for answer in answers)


@pytest.mark.parametrize("stream", [False, True])
def test_token_probabilities_are_returned_read_in_the_log_and_nowhere_in_clear(
    client: openai.OpenAI, shop: Tenant, stream: bool
) -> None:
    answered = ask(client, logprobs=True, top_logprobs=2, stream=stream)
    last = list(answered)[-1] if stream else answered
    tokens = last.choices[0].logprobs.content
    assert ANSWER in "".join(token.token for token in tokens)
    assert {len(token.top_logprobs) for token in tokens} == {2}
    assert all(token.logprob < 0 and bytes(token.bytes).decode() == token.token for token in tokens)
    with tenant_atomic(shop.id):
        access = TraceAccess.objects.get(trace_id=UUID(last.trace_id))
        assert (access.user_id, access.api_key_id is None, access.opened) == (None, False, True)
    kept = [redis_client().xrange(key) for key in redis_client().scan_iter("glassdesk:stream:*")]
    assert kept
    assert "logprob" not in str(kept)


def test_without_being_asked_for_probabilities_nothing_is_opened(client: openai.OpenAI, shop: Tenant) -> None:
    ask(client)
    with tenant_atomic(shop.id):
        assert TraceAccess.objects.count() == 0


def test_several_choices_are_several_answers_with_consecutive_seeds(
    client: openai.OpenAI, shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "One.", "Two.", "Three.")
    answer = ask(client, n=3, seed=40, temperature=1.0, extra_body=ALONE)
    assert sorted(choice.message.content for choice in answer.choices) == ["One.", "Three.", "Two."]
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert sorted(request.sampling.seed or 0 for request in engine.requests) == [40, 41, 42]
    assert len({choice.trace_id for choice in answer.choices}) == 3
    assert answer.trace_id == answer.choices[0].trace_id
    with tenant_atomic(shop.id):
        assert (Conversation.objects.count(), Trace.objects.count()) == (3, 3)
        assert answer.usage.completion_tokens == sum(Trace.objects.values_list("answer_tokens", flat=True))


def test_several_choices_stream_side_by_side(
    client: openai.OpenAI, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "The same words.")
    texts = {0: "", 1: ""}
    for chunk in ask(client, n=2, stream=True, extra_body=ALONE):
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == {0: "The same words.", 1: "The same words."}
    first, second = (request.sampling.seed for request in engine.requests)
    assert first != second


def test_an_answer_by_a_json_schema_is_that_json(client: openai.OpenAI) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "delivery", "strict": True, "schema": SCHEMA}}
    answer = ask(client, response_format=form, extra_body=ALONE)
    assert json.loads(answer.choices[0].message.content) == {"days": 1, "currency": "EUR"}


class Delivery(pydantic.BaseModel):
    """What the client is to make of the answer."""

    days: int
    is_free: bool


def test_the_clients_own_parser_gets_what_it_asked_for(client: openai.OpenAI) -> None:
    parsed = client.chat.completions.parse(
        model="default",
        messages=[{"role": "user", "content": QUESTION}],
        response_format=Delivery,
        extra_body=ALONE,
    )
    assert parsed.choices[0].message.parsed == Delivery(days=1, is_free=True)


def test_another_company_is_answered_from_its_own_articles_only(
    client_of: Callable[..., openai.OpenAI], shop: Tenant
) -> None:
    other = make_tenant("ledgerleaf-test")
    answer = ask(client_of(other))
    assert (answer.outcome, answer.sources) == ("refused", [])
    with tenant_atomic(shop.id):
        assert (Conversation.objects.count(), Trace.objects.count()) == (0, 0)
    with tenant_atomic(other.id):
        assert Conversation.objects.count() == 1


def test_models_are_those_that_answer(client_of: Callable[..., openai.OpenAI], shop: Tenant) -> None:
    client = client_of(shop, "stats:read")
    (model,) = client.models.list().data
    assert (model.id, model.object, model.owned_by) == ("scripted", "model", "glassdesk")
    assert client.models.retrieve("scripted") == model
    assert client.models.retrieve("default") == model.model_copy(update={"id": "default"})
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-4o")
    assert caught.value.code == "model_not_found"


def test_the_request_is_stored_with_what_it_asked_for(client: openai.OpenAI, shop: Tenant) -> None:
    ask(client, temperature=0.5, extra_body={"glassdesk": {"use_cache": False}})
    with tenant_atomic(shop.id):
        assert Reply.objects.get().parameters == {"temperature": 0.5, "use_cache": False}


def test_conversations_of_one_customer_belong_together(client: openai.OpenAI, shop: Tenant) -> None:
    for customer in ("ana", "ben", "ana"):
        ask(client, user=customer)
    with tenant_atomic(shop.id):
        found = Conversation.objects.order_by("created_at").values_list("visitor__reference", "visitor_id")
        names, visitors = zip(*found, strict=True)
    assert names == ("ana", "ben", "ana")
    assert (visitors[0] == visitors[2], visitors[0] == visitors[1]) == (True, False)


@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_who_goes_away_stops_the_engine_and_leaves_one_marked_answer(
    web: Web, shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    text = " ".join(f"word{number}" for number in range(200))
    script(engine, monkeypatch, text)
    engine.delay = 0.1
    body = {"model": "default", "messages": user(QUESTION), "stream": stream, **ALONE}
    caller = http.client.HTTPConnection("127.0.0.1", web.port)
    caller.request("POST", "/v1/chat/completions", json.dumps(body), {"Authorization": f"Bearer {make_api_key(shop)}"})
    wait_for(lambda: _deltas(shop) > 2)
    read = _contents(caller.getresponse()) if stream else ""
    caller.close()
    wait_for(lambda: _outcomes(shop) == ["stopped"])
    assert (len(engine.requests), len(engine.aborted), engine.running) == (1, 1, 0)
    with tenant_atomic(shop.id):
        reply = Reply.objects.select_related("answer").get()
        trace = Trace.objects.get()
        assert reply.answer is not None
        assert (reply.status, reply.attempt, reply.answer.outcome) == ("done", 1, "stopped")
        assert (trace.finish_reason, trace.reply_id, trace.answer_tokens < 200) == ("abort", reply.id, True)
        assert text.startswith(reply.answer.body)
        assert reply.answer.body.startswith(read.strip())
        assert bool(read) == stream
        assert Conversation.objects.get().message_count == 2


@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_who_goes_away_before_the_first_word_leaves_no_answer(
    client: openai.OpenAI, shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    script(engine, monkeypatch, "Too late.")
    engine.delay = 20.0
    with pytest.raises(openai.APITimeoutError):
        ask(client, extra_body=ALONE, stream=stream, timeout=2)

    def ends() -> list[tuple[str, str]]:
        with tenant_atomic(shop.id):
            return list(Reply.objects.values_list("status", "error_code"))

    wait_for(lambda: ends() == [("failed", "stopped")])
    wait_for(lambda: engine.running == 0)
    assert (len(engine.requests), _outcomes(shop)) == (1, [])


def _deltas(tenant: Tenant) -> int:
    """How many pieces of the only conversation's answer have been written."""
    with tenant_atomic(tenant.id):
        conversations = list(Conversation.objects.values_list("id", flat=True))
    entries = [redis_client().xrange(conversation_stream(tenant.id, each)) for each in conversations]
    return str(entries).count('"delta"')


def _contents(response: http.client.HTTPResponse) -> str:
    """The text of a stream's first two chunks."""
    lines = (line.decode() for line in response if line.startswith(b"data: "))
    chunks = [json.loads(next(lines).removeprefix("data: ")) for _ in range(2)]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def _outcomes(tenant: Tenant) -> list[str]:
    with tenant_atomic(tenant.id):
        return list(Trace.objects.values_list("outcome", flat=True))


@pytest.mark.parametrize("stream", [False, True])
def test_a_sentence_that_was_cut_is_in_neither_text_nor_probabilities(
    client: openai.OpenAI, shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    first, second = "Express delivery takes one working day [1].", "Express delivery costs nine euros [1]."
    script(engine, monkeypatch, f"{first} Express delivery takes two working days [1]. {second}")
    with tenant_atomic(shop.id):
        Assistant.objects.update(style=AnswerStyle.GENERATE)
    answered = ask(client, logprobs=True, stream=stream)
    if stream:
        parts = list(answered)
        text, last = "".join(part.choices[0].delta.content or "" for part in parts), parts[-1]
    else:
        text, last = answered.choices[0].message.content, answered
    assert text == f"{first} {second}"
    assert "".join(token.token for token in last.choices[0].logprobs.content).strip() == text

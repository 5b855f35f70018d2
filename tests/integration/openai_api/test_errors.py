"""Refusals and faults in OpenAI's shape, with the status that makes its client do the right thing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from unittest.mock import patch

import httpx
import openai
import psutil
import pytest
from django.conf import settings

from conversations.models import Conversation, Reply
from helpdesk.api_keys.scopes import Scope
from helpdesk.queue.workers import KEY
from helpdesk.streams.writer import client as redis_client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.scripted import ScriptedEngine
from tests.factories import make_api_key, make_question
from tests.integration.inference_worker.conftest import wait_for
from tests.integration.inference_worker.test_answering import ANSWER
from tests.integration.openai_api.conftest import Web
from tests.integration.openai_api.test_chat_completions import ALONE, ask, script

BODY = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}


def conversations(tenant: Tenant) -> int:
    with tenant_atomic(tenant.id):
        return int(Conversation.objects.count())


def test_a_stranger_is_refused_before_anything_else(web: Web, shop: Tenant) -> None:
    for key in ("", "nonsense", "gd_" + "a" * 26 + "_" + "a" * 8 + "_" + "a" * 48):
        client = openai.OpenAI(api_key=key or "x", base_url=f"{web.url}/v1", max_retries=0)
        with pytest.raises(openai.AuthenticationError) as caught:
            ask(client, messages="wrong")
        assert (caught.value.status_code, caught.value.code) == (401, "invalid_api_key")
        with pytest.raises(openai.AuthenticationError):
            client.models.list()
    response = httpx.post(f"{web.url}/v1/chat/completions", json=BODY)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="glassdesk"')
    assert conversations(shop) == 0


def test_a_key_without_the_scope_may_not_ask(client_of: Callable[..., openai.OpenAI], shop: Tenant) -> None:
    client = client_of(shop, *(scope for scope in Scope.values if scope != Scope.ANSWERS_WRITE))
    with pytest.raises(openai.PermissionDeniedError) as caught:
        ask(client)
    assert (caught.value.status_code, caught.value.code) == (403, "scope_missing")
    assert conversations(shop) == 0


def test_a_revoked_key_opens_nothing(web: Web, shop: Tenant) -> None:
    from helpdesk.api_keys.domain import create_key, revoke_key

    created = create_key(tenant_id=shop.id, name="Old", scopes=["answers:write"])
    revoke_key(tenant_id=shop.id, key_id=created.key.id)
    with pytest.raises(openai.AuthenticationError):
        ask(openai.OpenAI(api_key=created.text, base_url=f"{web.url}/v1", max_retries=0))


def test_mistakes_are_named_and_store_nothing(client: openai.OpenAI, shop: Tenant) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}])
    error = caught.value
    assert (error.status_code, error.type, error.param, error.code) == (
        400,
        "invalid_request_error",
        "tools",
        "unsupported_parameter",
    )
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, temperature=3)
    assert (caught.value.param, caught.value.code) == ("temperature", "invalid_value")
    with pytest.raises(openai.NotFoundError) as missing:
        ask(client, model="gpt-4o")
    assert (missing.value.param, missing.value.code) == ("model", "model_not_found")
    assert conversations(shop) == 0


def test_bodies_methods_and_addresses_that_make_no_sense_are_refused_in_the_same_shape(web: Web, shop: Tenant) -> None:
    headers = {"Authorization": f"Bearer {make_api_key(shop)}"}
    url = f"{web.url}/v1/chat/completions"
    answers = [
        httpx.post(url, content=b"{", headers=headers),
        httpx.post(url, content=b'{"model": NaN}', headers=headers),
        httpx.post(url, content=b"[" * 100_000, headers=headers),
        httpx.post(url, content=b"x" * (1024 * 1024 + 1), headers=headers),
        httpx.get(url, headers=headers),
        httpx.post(f"{web.url}/v1/embeddings", json={}, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 413, 405, 404]
    for answer in answers:
        assert answer.json()["error"].keys() >= {"message", "type", "param", "code"}
    assert conversations(shop) == 0


@pytest.mark.parametrize("stream", [False, True])
def test_more_than_the_model_can_read_is_a_bad_request(
    client: openai.OpenAI, engine: ScriptedEngine, stream: bool
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "word " * 3000, extra_body=ALONE, stream=stream)
    assert (caught.value.code, engine.requests) == ("context_length_exceeded", [])


def test_too_many_requests_say_when_to_come_back(client_of: Callable[..., openai.OpenAI], shop: Tenant) -> None:
    client = client_of(shop, requests_per_minute=1)
    first = client.with_raw_response.models.list()
    assert (first.headers["x-ratelimit-limit-requests"], first.headers["x-ratelimit-remaining-requests"]) == ("1", "0")
    with pytest.raises(openai.RateLimitError) as caught:
        for _ in range(3):  # the minute may have turned
            client.models.list()
    assert (caught.value.code, caught.value.type) == ("too_many_requests", "rate_limit_error")
    assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 60


def test_a_full_line_says_when_to_come_back_and_stores_nothing(client: openai.OpenAI, shop: Tenant) -> None:
    with patch("conversations.replies.sending.enqueue_reply"):
        for _ in range(settings.TENANT_QUEUE):
            make_question(shop)
    with pytest.raises(openai.RateLimitError) as caught:
        ask(client)
    assert (caught.value.code, caught.value.type) == ("busy", "rate_limit_error")
    assert int(caught.value.response.headers["Retry-After"]) >= 1
    assert conversations(shop) == settings.TENANT_QUEUE


def test_several_choices_are_queued_together_or_not_at_all(client: openai.OpenAI, shop: Tenant) -> None:
    with patch("conversations.replies.sending.enqueue_reply"):
        for _ in range(settings.TENANT_QUEUE - 2):
            make_question(shop)
    with pytest.raises(openai.RateLimitError):
        ask(client, n=3)
    assert conversations(shop) == settings.TENANT_QUEUE - 2


def test_without_a_worker_the_model_is_not_ready(client: openai.OpenAI, shop: Tenant) -> None:
    rows = redis_client().hgetall(KEY)
    redis_client().delete(KEY)
    try:
        # The worker's next heartbeat may come in between.
        with pytest.raises(openai.InternalServerError) as caught:
            for _ in range(50):
                redis_client().delete(KEY)
                ask(client)
    finally:
        for name, value in rows.items():
            redis_client().hset(KEY, name, value)
    assert (caught.value.status_code, caught.value.code) == (503, "model_not_ready")
    assert caught.value.response.headers["Retry-After"]


def test_an_answer_begun_anew_is_continued_where_it_broke_off(
    client: openai.OpenAI, shop: Tenant, engine: ScriptedEngine
) -> None:
    text = _streamed_through_a_fault(client, engine)
    assert ANSWER in text
    with tenant_atomic(shop.id):
        assert Reply.objects.get().attempt == 2


def test_an_answer_begun_anew_with_other_words_ends_in_an_error_that_carries_them(
    client: openai.OpenAI, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "One two three four five.", "Something else.")
    with pytest.raises(openai.APIError) as caught:
        _streamed_through_a_fault(client, engine, extra_body=ALONE)
    assert isinstance(caught.value.body, dict)
    assert (caught.value.code, caught.value.body["answer"]) == ("answer_replaced", "Something else.")
    assert caught.value.body["trace_id"]


def _streamed_through_a_fault(client: openai.OpenAI, engine: ScriptedEngine, **fields: object) -> str:
    """The text of a stream whose first attempt fails in its middle."""
    engine.delay, engine.fail_after = 0.1, 4

    def mend() -> None:
        wait_for(lambda: engine.requests)
        wait_for(lambda: not engine.running)
        engine.fail_after = None

    mending = threading.Thread(target=mend)
    mending.start()
    try:
        chunks = ask(client, stream=True, **fields)
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    finally:
        mending.join()
        engine.fail_after = None


def test_waiting_callers_hold_no_thread(
    web: Web, client: openai.OpenAI, shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "one two three four five six seven eight nine ten")
    ask(client, extra_body=ALONE)
    process = psutil.Process(web.process.pid)
    engine.delay = 0.5
    callers = [threading.Thread(target=ask, args=(client,), kwargs={"extra_body": ALONE}) for _ in range(30)]
    before = process.num_threads()
    for caller in callers:
        caller.start()
    wait_for(lambda: conversations(shop) == 31)
    wait_for(lambda: process.num_threads() < before + 15)
    assert sum(caller.is_alive() for caller in callers) > 5
    for caller in callers:
        caller.join()


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]},
        {"type": "array", "items": {"type": "string"}, "maxItems": 10**9},
        {"type": "string", "pattern": "(open"},
        {"type": "string", "format": "no such format"},
    ],
    ids=["endless", "huge", "pattern", "format"],
)
def test_a_schema_that_no_answer_can_be_held_to_never_reaches_the_engine(
    client: openai.OpenAI, engine: ScriptedEngine, schema: dict[str, object]
) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "odd", "schema": schema}}
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, response_format=form, extra_body=ALONE)
    assert (caught.value.code, caught.value.param, engine.requests) == ("invalid_json_schema", "response_format", [])

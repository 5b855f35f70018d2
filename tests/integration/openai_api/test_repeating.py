"""`Idempotency-Key`: a request that is sent again follows the first one's answer, and no second one is written."""

from __future__ import annotations

from collections.abc import Callable

import openai
import pytest

from conversations.models import Conversation, Reply
from conversations.replies import stop_reply
from helpdesk.api.models import IdempotentRequest
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.scripted import ScriptedEngine
from tests.integration.inference_worker.conftest import wait_for
from tests.integration.inference_worker.test_answering import ANSWER, QUESTION
from tests.integration.openai_api.test_chat_completions import ALONE, ask, script
from tracing.forget import forget_conversation

KEY = {"Idempotency-Key": "order-17"}


def stored(tenant: Tenant) -> tuple[int, int]:
    with tenant_atomic(tenant.id):
        return Conversation.objects.count(), Reply.objects.count()


def ends(tenant: Tenant) -> list[tuple[str, str]]:
    with tenant_atomic(tenant.id):
        return list(Reply.objects.values_list("status", "error_code").order_by("queued_at"))


def test_the_same_request_gets_the_same_answer(client: openai.OpenAI, shop: Tenant, engine: ScriptedEngine) -> None:
    first = client.chat.completions.with_raw_response.create(
        model="default", messages=[{"role": "user", "content": QUESTION}], extra_headers=KEY
    )
    again = client.chat.completions.with_raw_response.create(
        model="default", messages=[{"role": "user", "content": QUESTION}], extra_headers=KEY
    )
    assert first.parse() == again.parse()
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert (stored(shop), len(engine.requests)) == ((1, 1), 1)
    with tenant_atomic(shop.id):
        assert ANSWER not in IdempotentRequest.objects.get().body


def test_a_stream_that_is_asked_for_again_says_the_same_words(
    client: openai.OpenAI, shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "One two three.", "Something else.")

    def words() -> tuple[str, str, str]:
        chunks = list(ask(client, stream=True, extra_body=ALONE, extra_headers=KEY))
        return "".join(each.choices[0].delta.content or "" for each in chunks), chunks[-1].trace_id, chunks[0].id

    assert words() == words()
    assert (stored(shop), len(engine.requests)) == ((1, 1), 1)


def test_a_caller_who_goes_away_and_asks_again_gets_the_answer_that_was_begun(
    client: openai.OpenAI, shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "one two three four five six seven eight nine ten", "Something else.")
    engine.delay = 0.3
    with pytest.raises((openai.APITimeoutError, openai.APIConnectionError)):
        ask(client, extra_body=ALONE, extra_headers=KEY, timeout=0.8)
    assert engine.running == 1
    answer = ask(client, extra_body=ALONE, extra_headers=KEY)
    assert answer.choices[0].message.content == "one two three four five six seven eight nine ten"
    assert (stored(shop), len(engine.requests), engine.aborted) == ((1, 1), 1, [])


def test_several_choices_are_followed_again(
    client: openai.OpenAI, shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(engine, monkeypatch, "One.", "Two.", "Three.")
    first, again = (ask(client, n=2, extra_body=ALONE, extra_headers=KEY) for _ in range(2))
    assert first == again
    assert stored(shop) == (2, 2)


def test_another_request_with_the_same_key_is_refused(client: openai.OpenAI, shop: Tenant) -> None:
    ask(client, extra_headers=KEY)
    for fields in ({"temperature": 1.0}, {"stream": True}):
        with pytest.raises(openai.UnprocessableEntityError) as caught:
            ask(client, extra_headers=KEY, **fields)
        assert caught.value.code == "idempotency_key_reused"
    assert stored(shop) == (1, 1)


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_odd_keys_are_refused(client: openai.OpenAI, shop: Tenant, key: str) -> None:
    with pytest.raises(openai.BadRequestError):
        ask(client, extra_headers={"Idempotency-Key": key})
    assert stored(shop) == (0, 0)


def test_keys_of_two_companies_have_nothing_to_do_with_each_other(
    client_of: Callable[..., openai.OpenAI], client: openai.OpenAI, shop: Tenant
) -> None:
    from tests.factories import make_tenant

    other = make_tenant()
    first = ask(client, extra_headers=KEY)
    assert ask(client_of(other), extra_headers=KEY).id != first.id
    assert ask(client_of(shop), extra_headers=KEY).id != first.id


def test_what_was_refused_or_failed_may_be_tried_again(
    client: openai.OpenAI, shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(openai.NotFoundError):
        ask(client, model="gpt-4o", extra_headers=KEY)
    script(engine, monkeypatch, "one two three four five", "Another answer.")
    engine.delay = 5.0
    with pytest.raises(openai.APITimeoutError):
        ask(client, extra_body=ALONE, extra_headers=KEY, timeout=1)
    with tenant_atomic(shop.id):
        reply = Reply.objects.get()
    stop_reply(tenant_id=shop.id, conversation_id=reply.conversation_id, reply_id=reply.id)
    wait_for(lambda: ends(shop) == [("failed", "stopped")])
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, extra_body=ALONE, extra_headers=KEY)
    assert caught.value.code == "answer_failed"
    engine.delay = 0.0
    assert ask(client, extra_body=ALONE, extra_headers=KEY).choices[0].message.content == "Another answer."


def test_a_deleted_answer_is_gone_for_repeated_requests_too(client: openai.OpenAI, shop: Tenant) -> None:
    ask(client, extra_headers=KEY)
    with tenant_atomic(shop.id):
        conversation = Conversation.objects.get()
        forget_conversation(conversation.id)
    with pytest.raises(openai.ConflictError) as caught:
        ask(client, extra_headers=KEY)
    assert caught.value.code == "idempotency_not_repeatable"


def test_while_the_first_request_is_being_queued_the_second_one_waits(client: openai.OpenAI, shop: Tenant) -> None:
    ask(client, extra_headers=KEY)
    with tenant_atomic(shop.id):
        IdempotentRequest.objects.update(status=None, body="")
    with pytest.raises(openai.ConflictError) as caught:
        ask(client, extra_headers=KEY)
    assert caught.value.code == "idempotency_in_progress"

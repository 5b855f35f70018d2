"""The assistant's settings, overridden by the request, as the engine and the trace get them."""

from __future__ import annotations

from uuid import uuid4

from conversations.models import Assistant
from conversations.parameters import RequestParameters
from inference_worker.answering.sampling import quoting, token_limit, writing
from inference_worker.engine.contract import SamplingParameters

ASSISTANT = Assistant(tenant_id=uuid4(), temperature=0.3, top_p=0.9, max_tokens=100, seed=7, stop=["END"])


def test_a_request_without_wishes_is_answered_as_the_assistant_is_set() -> None:
    assert writing(ASSISTANT, RequestParameters(), max_tokens=100) == SamplingParameters(
        max_tokens=100, temperature=0.3, top_p=0.9, seed=7, stop=("END",), top_logprobs=5
    )
    assert token_limit(ASSISTANT, RequestParameters()) == 100


def test_what_the_request_asks_for_wins_also_when_it_is_zero_or_empty() -> None:
    asked = RequestParameters(
        temperature=0.0, top_p=0.5, max_tokens=9, seed=0, stop=(), top_logprobs=20, json_schema={"type": "object"}
    )
    assert writing(ASSISTANT, asked, max_tokens=9) == SamplingParameters(
        max_tokens=9, temperature=0.0, top_p=0.5, seed=0, stop=(), top_logprobs=20, json_schema={"type": "object"}
    )
    assert token_limit(ASSISTANT, asked) == 9


def test_fewer_alternatives_than_a_trace_keeps_are_not_asked_for() -> None:
    assert writing(ASSISTANT, RequestParameters(top_logprobs=0), max_tokens=1).top_logprobs == 5


def test_a_random_answer_without_a_seed_gets_one_that_the_trace_can_name() -> None:
    assistant = Assistant(tenant_id=uuid4(), temperature=1.0, seed=None)
    seeds = {writing(assistant, RequestParameters(), max_tokens=1).seed for _ in range(8)}
    assert None not in seeds
    assert len(seeds) > 1
    assert writing(assistant, RequestParameters(temperature=0.0), max_tokens=1).seed is None


def test_a_quote_is_neither_random_nor_cut() -> None:
    asked = RequestParameters(temperature=2.0, top_p=0.1, max_tokens=1, stop=("takes",), seed=3)
    assert quoting(ASSISTANT, asked, text="It takes a day.", max_tokens=24) == SamplingParameters(
        max_tokens=24, seed=3, choices=("It takes a day.",), top_logprobs=5
    )

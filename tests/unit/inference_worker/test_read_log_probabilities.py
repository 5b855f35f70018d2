"""Scores and read answers are right on both model runners, which give different rows for tokens from the prefix cache."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from inference_worker.engine.contract import Prompt
from inference_worker.engine.vllm import parameters
from inference_worker.engine.vllm.adapter import VLLMEngine
from inference_worker.engine.vllm.arguments import EngineSettings

PROMPT = Prompt("", tuple(range(100, 120)))
CONTINUATION = (31, 32, 33)


class Row(dict[int, Any]):
    """The log-probability of a token is its id as a negative number."""

    def __init__(self, token: int) -> None:
        super().__init__({token: SimpleNamespace(logprob=-float(token), rank=1)})


class Runner:
    """Reads a prompt of which `cached` tokens come from the prefix cache, as one of vLLM's runners tells it."""

    errored = False

    def __init__(self, *, cached: int, is_new: bool, lost: int = 0) -> None:
        self.cached, self.is_new, self.lost = cached, is_new, lost
        self.read: list[bool] = []

    async def generate(self, prompt: Any, parameters: Any, request_id: str, *, priority: int) -> AsyncIterator[Any]:
        ids, from_cache = prompt["prompt_token_ids"], not parameters.skip_reading_prefix_cache
        self.read.append(from_cache)
        cached = self.cached if from_cache else 0
        yield SimpleNamespace(prompt_logprobs=self._rows(ids, cached, from_cache), num_cached_tokens=cached)

    def _rows(self, ids: Sequence[int], cached: int, from_cache: bool) -> list[Any]:
        if not self.is_new:
            return [None, *({0: None} if place < cached else Row(ids[place]) for place in range(1, len(ids)))]
        rows: list[Any] = [Row(token) for token in ids[cached + 1 :]]
        return [None, *rows[self.lost if from_cache else 0 :]]


@pytest.fixture(autouse=True)
def no_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    def scoring(*, from_cache: bool) -> Any:
        return SimpleNamespace(skip_reading_prefix_cache=not from_cache)

    monkeypatch.setattr(parameters, "scoring", scoring)


@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize(("cached", "readings"), [(0, 1), (1, 1), (16, 1), (19, 1), (20, 2), (22, 2)])
async def test_a_continuation_is_scored_by_the_last_rows(is_new: bool, cached: int, readings: int) -> None:
    engine, runner = VLLMEngine(EngineSettings(model="none")), Runner(cached=cached, is_new=is_new)
    engine._llm = runner
    assert await engine.score(PROMPT, CONTINUATION) == [-31.0, -32.0, -33.0]
    assert runner.read == [True, False][:readings]


async def test_rows_that_were_lost_when_a_request_was_put_off_are_computed_again() -> None:
    engine, runner = VLLMEngine(EngineSettings(model="none")), Runner(cached=16, is_new=True, lost=5)
    engine._llm = runner
    assert await engine.score(PROMPT, CONTINUATION) == [-31.0, -32.0, -33.0]
    assert runner.read == [True, False]

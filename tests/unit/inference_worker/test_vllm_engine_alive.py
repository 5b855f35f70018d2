"""What the engine's process does not say, vLLM's own word must: a dead engine never answers."""

from __future__ import annotations

import asyncio
from typing import Any

from inference_worker.engine.vllm.adapter import VLLMEngine
from inference_worker.engine.vllm.arguments import EngineSettings


class NeverAnswers:
    """vLLM's client of an engine whose processes are gone: questions stay open, `errored` turns true."""

    errored = False
    asked = 0

    async def collective_rpc(self, method: str) -> list[Any]:
        self.asked += 1
        await asyncio.Event().wait()
        return []


async def test_engine_that_dies_while_asked_is_noticed_at_once() -> None:
    engine, llm = VLLMEngine(EngineSettings(model="none")), NeverAnswers()
    engine._llm = llm
    asking = asyncio.ensure_future(engine.is_alive())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert llm.asked == 1
    assert not asking.done()
    llm.errored = True
    # Far less than the minute that a busy engine is given.
    assert await asyncio.wait_for(asking, 10) is False


async def test_engine_known_to_be_dead_is_not_even_asked() -> None:
    engine, llm = VLLMEngine(EngineSettings(model="none")), NeverAnswers()
    llm.errored = True
    engine._llm = llm
    assert (await engine.is_alive(), llm.asked) == (False, 0)


async def test_engine_whose_worker_answers_is_alive() -> None:
    class Answers(NeverAnswers):
        async def collective_rpc(self, method: str) -> list[Any]:
            assert method == "check_health"
            return [None]

    engine = VLLMEngine(EngineSettings(model="none"))
    engine._llm = Answers()
    assert await engine.is_alive() is True

"""The bare vLLM engine on given prompts: no desk, no queue, nothing restricted, no log-probabilities.

Its processes are started and wait for each other as the product's do: with vLLM's own waiting the engine process takes a
core from the model. See bench/programs.py for what it reads and prints.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bench.processor_time import difference, own_seconds
from bench.programs import jobs, report
from inference_worker.engine.vllm.environment import set_environment
from inference_worker.engine.vllm.extensions import imported


async def measure() -> None:
    """Load the model, then run level after level."""
    asked = jobs()
    settings = next(asked)
    set_environment(settings["model"], kv_cache_gib=settings["kv_cache_gib"])
    if imported.is_usable():
        imported.begin_imports()
    from vllm import AsyncEngineArgs
    from vllm.platforms import current_platform
    from vllm.v1.engine.async_llm import AsyncLLM

    if current_platform.is_cpu():
        imported.use_for_engines()
    llm = AsyncLLM.from_engine_args(
        AsyncEngineArgs(
            model=settings["model"],
            dtype="bfloat16",
            max_model_len=settings["max_model_len"],
            max_num_seqs=settings["max_num_seqs"],
            enforce_eager=current_platform.is_cpu(),
            enable_prefix_caching=True,
            # Registers the Int4 operator where this build of vLLM has none for the processor.
            worker_extension_cls="inference_worker.engine.vllm.extensions.worker.WorkerSetup",
            disable_log_stats=True,
            use_tqdm_on_load=False,
        )
    )
    try:
        for number, request in enumerate(settings["warm_up"]):
            await _answer(llm, f"warm-up-{number}", *request)
        report({"engine": "vllm"})
        for job in asked:
            report(await _level(llm, job["streams"], job["requests"]))
    finally:
        llm.shutdown()


async def _level(llm: Any, streams: int, requests: list[Any]) -> dict[str, Any]:
    slots = asyncio.Semaphore(streams)
    begun, used = time.perf_counter(), own_seconds()

    async def one(number: int, ids: list[int], tokens: int) -> Answer:
        async with slots:
            return await _answer(llm, f"{begun}-{number}", ids, tokens)

    results = await asyncio.gather(*(one(number, *request) for number, request in enumerate(requests)))
    seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "processor_seconds": difference(used, own_seconds()),
        "tokens": sum(each.tokens for each in results),
        "first_token_ms": [each.first_ms for each in results],
        "between_tokens_ms": [gap for each in results for gap in each.gaps_ms],
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """Milliseconds to the first token and between tokens, and the number of tokens."""

    first_ms: float
    tokens: int
    gaps_ms: list[float]


async def _answer(llm: Any, request_id: str, ids: list[int], tokens: int) -> Answer:
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    parameters = SamplingParams(
        max_tokens=tokens,
        min_tokens=tokens,
        ignore_eos=True,
        temperature=0.0,
        detokenize=True,
        output_kind=RequestOutputKind.DELTA,
    )
    begun, count = time.perf_counter(), 0
    times: list[float] = []
    async for output in llm.generate({"prompt_token_ids": ids}, parameters, request_id):
        times.append(time.perf_counter())
        count += len(output.outputs[0].token_ids)
    gaps = [(later - earlier) * 1000 for earlier, later in pairwise(times)]
    return Answer((times[0] - begun) * 1000, count, gaps)


if __name__ == "__main__":
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    asyncio.run(measure())

"""vLLM's AsyncLLM with its own defaults: its own model runner, nothing restricted, no log-probabilities."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from bench.gpu.job import Job, Report, gpu_used_mib
from bench.gpu.levels import Answer, Ids, level, new_prompt, timed
from inference_worker.engine.vllm.environment import set_environment
from inference_worker.engine.vllm.extensions import imported
from inference_worker.engine.vllm.runner import RUNNER_VARIABLE


def run(job: Job, report: Report) -> None:
    """Load, then level after level."""
    import os

    set_environment(job.model, kv_cache_gib=1)
    os.environ.pop(RUNNER_VARIABLE, None)
    if imported.is_usable():
        imported.begin_imports()
    asyncio.run(_measure(job, report))


async def _measure(job: Job, report: Report) -> None:
    from transformers import AutoTokenizer
    from vllm import AsyncEngineArgs
    from vllm.platforms import current_platform
    from vllm.v1.engine.async_llm import AsyncLLM

    if current_platform.is_cpu():
        imported.use_for_engines()
    begun = time.perf_counter()
    llm = AsyncLLM.from_engine_args(
        AsyncEngineArgs(
            model=job.model,
            dtype="bfloat16",
            max_model_len=2048,
            max_num_seqs=job.sequences,
            enforce_eager=current_platform.is_cpu(),
            gpu_memory_utilization=job.share,
            enable_prefix_caching=True,
            # Registers the Int4 operator where this build of vLLM has none for the processor, and ends with a killed owner.
            worker_extension_cls="inference_worker.engine.vllm.extensions.worker.WorkerSetup",
            disable_log_stats=True,
            use_tqdm_on_load=False,
        )
    )
    try:
        report.put(load_seconds=round(time.perf_counter() - begun, 1), gpu_mib=gpu_used_mib())
        report.put(uses_new_runner=llm.vllm_config.use_v2_model_runner)
        tokenizer, chance = AutoTokenizer.from_pretrained(job.tokenizer), random.Random(7)

        def prompts(count: int) -> list[Ids]:
            return [tokenizer(new_prompt(chance, job.words))["input_ids"] for _ in range(count)]

        await bare_level(llm, min(8, job.levels[-1][0]), prompts(min(8, job.levels[-1][1])), job.tokens)
        for streams, count in job.levels:
            figures = await bare_level(llm, streams, prompts(count), job.tokens)
            report.put(bare=[*report.get("bare", []), figures])
        report.put(done=True)
    finally:
        llm.shutdown(timeout=3)


async def bare_level(llm: Any, streams: int, prompts: list[Ids], tokens: int) -> dict[str, Any]:
    """One level on any AsyncLLM."""
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    tag = f"bare-{time.perf_counter()}"
    parameters = {"max_tokens": tokens, "min_tokens": tokens, "ignore_eos": True, "temperature": 0.0}

    async def one(number: int, ids: Ids) -> Answer:
        sampling = SamplingParams(**parameters, output_kind=RequestOutputKind.DELTA)
        stream = llm.generate({"prompt_token_ids": list(ids)}, sampling, f"{tag}-{number}")
        return await timed(stream, lambda output: len(output.outputs[0].token_ids))

    return await level(streams, prompts, one)

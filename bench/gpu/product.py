"""The product's own EngineHost and VLLMEngine: checks, levels, a killed engine, and at last its own end by SIGKILL."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import asdict
from typing import Any

from bench.gpu.bare import bare_level
from bench.gpu.checks import run_checks
from bench.gpu.job import Job, Report, gpu_used_mib, in_a_line
from bench.gpu.levels import Answer, Ids, level, new_prompt, timed
from inference_worker.engine.contract import ChatTurn, EngineError, GenerationRequest, Prompt, SamplingParameters
from inference_worker.engine.host import EngineHost
from inference_worker.engine.processes import find_processes
from inference_worker.engine.vllm import parameters
from inference_worker.engine.vllm.adapter import VLLMEngine
from inference_worker.engine.vllm.arguments import EngineSettings

BACK_SECONDS = 150


def run(job: Job, report: Report) -> None:
    """Everything that is asked of one model runner."""
    settings = EngineSettings(
        model=job.model, name=job.name, max_num_seqs=job.sequences, gpu_memory_share=job.share, runner=job.runner
    )
    engine = VLLMEngine(settings)
    engine.begin_imports()
    host = EngineHost(engine, check_seconds=0.5, backoff_seconds=0.2)
    begun = time.perf_counter()
    host.start()
    report.put(load_seconds=round(time.perf_counter() - begun, 1), **_about(engine))
    if job.has_checks:
        run_checks(report, engine, host, out=job.out)
    host.submit(_levels(job, report, engine)).result(job.seconds)
    if job.has_checks:
        _kill_engine(report, engine, host)
    # The parent looks whether the engine ends with its owner.
    report.put(done=True, engine_pids=[process.pid for process in find_processes()])
    os.kill(os.getpid(), signal.SIGKILL)


def _about(engine: VLLMEngine) -> dict[str, Any]:
    config = engine._llm.vllm_config
    return {
        "gpu_mib": gpu_used_mib(),
        "uses_new_runner": config.use_v2_model_runner,
        "async_scheduling": config.scheduler_config.async_scheduling,
        "step_tokens": config.scheduler_config.max_num_batched_tokens,
        "sequences": config.scheduler_config.max_num_seqs,
        "cache_tokens": config.cache_config.kv_cache_size_tokens,
        "block_tokens": config.cache_config.block_size,
        "cuda_graphs": str(config.compilation_config.cudagraph_mode),
        "steps": {step.name: step.seconds for step in engine.load_log.steps()},
        "info": asdict(engine.info()),
        "footprint": asdict(engine.footprint()),
        "usage": asdict(engine.usage()),
        "processes": [process.name() for process in find_processes()],
    }


async def _levels(job: Job, report: Report, engine: VLLMEngine) -> None:
    """The product and the bare client of the same engine take turns; both write the same number of tokens."""
    chance = random.Random(11)

    def prompts(count: int) -> list[Ids]:
        return [engine.render([ChatTurn("user", new_prompt(chance, job.words))]).token_ids for _ in range(count)]

    writing = parameters.writing

    def to_the_limit(sampling: SamplingParameters) -> Any:
        parameters = writing(sampling)
        parameters.ignore_eos, parameters.min_tokens = True, sampling.max_tokens
        return parameters

    async def one(number: int, ids: Ids) -> Answer:
        sampling = SamplingParameters(max_tokens=job.tokens, temperature=0.0, top_logprobs=5)
        request = GenerationRequest(f"level-{number}", Prompt("", tuple(ids)), sampling)
        return await timed(engine.stream(request), lambda delta: len(delta.tokens))

    parameters.writing = to_the_limit
    try:
        await level(min(8, job.levels[-1][0]), prompts(min(8, job.levels[-1][1])), one)
        for streams, count in job.levels:
            ours = await level(streams, prompts(count), one)
            bare = await bare_level(engine._llm, streams, prompts(count), job.tokens)
            report.put(
                product=[*report.get("product", []), ours],
                bare_same_engine=[*report.get("bare_same_engine", []), bare],
            )
    finally:
        parameters.writing = writing


def _kill_engine(report: Report, engine: VLLMEngine, host: EngineHost) -> None:
    """Kill the engine while it writes: the stream must end with EngineError, and the engine come back."""

    async def reading() -> None:
        prompt = engine.render([ChatTurn("user", "Tell me a long story.")])
        async for _ in engine.stream(GenerationRequest("killed", prompt, SamplingParameters(max_tokens=900))):
            started.append(True)

    started: list[bool] = []
    answer = host.submit(reading())
    while not started and not answer.done():
        time.sleep(0.01)
    for process in find_processes():
        process.kill()
    begun = time.perf_counter()
    try:
        answer.result(60)
        report.put(killed_engine="FAIL: the stream ended as if nothing had happened")
    except EngineError as error:
        report.put(killed_engine="ok", killed_engine_seen_seconds=round(time.perf_counter() - begun, 2))
        report.put(killed_engine_said=in_a_line(error))
    host.suspect()
    is_back = host.wait_ready(BACK_SECONDS)
    report.put(killed_engine_is_back=is_back, killed_engine_back_seconds=round(time.perf_counter() - begun, 1))

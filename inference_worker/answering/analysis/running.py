"""Runs one analysis of a finished answer: its causes, a replay, or alternative answers. In quiet moments only."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.conf import settings

from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.analysis.attribution import NotAttributable, attribute
from inference_worker.answering.analysis.replay import (
    NotReplayable,
    UnknownPassage,
    differences_between,
    judge,
    replay_request,
    shifts,
    token_changes,
)
from inference_worker.answering.records import engine_record, token_records
from inference_worker.engine.contract import PRIORITY_BACKGROUND, Engine, EngineError, GenerationRequest, Prompt, Token
from inference_worker.runtime import Runtime
from tracing.analyses import record_analysis
from tracing.analysis_content import AlternativeAnswer, Alternatives, AnalysisResult, Attribution, Replay
from tracing.confidence import mean_logprob
from tracing.content import EngineRecord, TraceContent
from tracing.job_failures import JobFailure
from tracing.jobs import claim_job, fail_job, finish_job, give_back_job
from tracing.models import AnalysisJob, AnalysisKind
from tracing.opening import content_of
from tracing.plain import to_plain
from tracing.serving import Served

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.05
LONGEST_CALL_SECONDS = 300.0
ENGINE_WAIT_SECONDS = 5.0
MAX_ALTERNATIVES = 5
ALTERNATIVE_TEMPERATURE = 0.8
ALTERNATIVE_TOKENS = 96

Result = TypeVar("Result")


class Interrupted(Exception):
    """Customers need the engine, or the worker stops; the analysis is done again later."""


def run_analysis(runtime: Runtime, *, tenant_id: UUID, job_id: UUID) -> bool:
    """Claim the job, do it, store the result sealed. True when it was interrupted and waits in the queue again."""
    if not runtime.host.wait_ready(ENGINE_WAIT_SECONDS):
        # An attempt must not be spent on an engine that is being restarted.
        return not runtime.stopping
    job = claim_job(tenant_id=tenant_id, job_id=job_id)
    if job is None:
        return False
    log = logger.bind(job_id=str(job_id), tenant_id=str(tenant_id), kind=job.kind)
    if not _served(runtime.host.engine).fits(job):
        # The task was sent before this worker took another model's place; the sweep finds whose it is now.
        give_back_job(job, tenant_id=tenant_id, counts=False)
        log.info("analysis_of_another_model")
        return False
    try:
        with tenant_atomic(tenant_id):
            content = content_of(job.trace)
        result = _analyse(runtime, job, content)
        with tenant_atomic(tenant_id):
            analysis = record_analysis(
                job.trace,
                kind=AnalysisKind(job.kind),
                content=to_plain(result),
                figures=figures(result),
                duration_ms=result.duration_ms,
            )
            if not finish_job(job, analysis):
                raise Interrupted
    except Interrupted:
        give_back_job(job, tenant_id=tenant_id, counts=False)
        return True
    except EngineError as error:
        log.warning("analysis_engine_error", retryable=error.retryable)
        if error.retryable:
            runtime.host.suspect()
            give_back_job(job, tenant_id=tenant_id, counts=True)
        else:
            fail_job(job, tenant_id=tenant_id, code=JobFailure.ENGINE)
    except UnknownPassage:
        fail_job(job, tenant_id=tenant_id, code=JobFailure.UNKNOWN_PASSAGE)
    except (NotAttributable, NotReplayable):
        fail_job(job, tenant_id=tenant_id, code=JobFailure.NOTHING_TO_DO)
    except SealError:
        fail_job(job, tenant_id=tenant_id, code=JobFailure.SEALING)
    else:
        log.info("analysis_done", duration_ms=result.duration_ms)
    return False


def _served(engine: Engine) -> Served:
    info = engine.info()
    return Served(settings.MODEL_NAME or info.model, info.model, info.quantization)


def figures(result: AnalysisResult) -> dict[str, Any]:
    """The numbers that may stand in clear beside the sealed result."""
    if isinstance(result, Attribution):
        grounded = sum(sentence.is_grounded for sentence in result.sentences)
        return {
            "passes": result.passes,
            "tokens": result.scored_tokens,
            "sentences": len(result.sentences),
            "grounded_sentences": grounded,
        }
    if isinstance(result, Replay):
        return {"changed_stretches": len(result.changes), "differences": len(result.differences)}
    return {"answers": len(result.answers)}


def _analyse(runtime: Runtime, job: AnalysisJob, content: TraceContent) -> AnalysisResult:
    # What a person waits for goes on beside customers, at the engine's lowest priority; what nobody asked for gives way.
    gives_way = job.is_automatic
    call = _Caller(runtime, gives_way=gives_way)
    engine, record = runtime.host.engine, engine_record(runtime.host.engine.info())
    if job.kind == AnalysisKind.ATTRIBUTION:
        return _attribution(engine, record, content, call)
    if job.kind == AnalysisKind.REPLAY:
        return _replay(engine, record, content, call, job)
    return _alternatives(engine, record, content, call, job)


class _Caller:
    """Runs engine coroutines from the background thread, one at a time, and gives them up when customers come."""

    def __init__(self, runtime: Runtime, *, gives_way: bool) -> None:
        self._runtime = runtime
        self._gives_way = gives_way

    def __call__(self, make: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        self._check()
        future = self._runtime.host.submit(make())
        give_up_at = time.monotonic() + LONGEST_CALL_SECONDS
        try:
            while True:
                try:
                    return future.result(POLL_SECONDS)
                except concurrent.futures.TimeoutError:
                    if future.done():
                        raise
                    self._check()
                    if time.monotonic() > give_up_at:
                        raise EngineError("The engine did not answer in time.", retryable=True) from None
        finally:
            future.cancel()

    def _check(self) -> None:
        if self._runtime.stopping or (self._gives_way and self._runtime.is_answering):
            raise Interrupted


def _attribution(engine: Engine, record: EngineRecord, content: TraceContent, call: _Caller) -> Attribution:
    def score(prompt: Prompt, ids: Sequence[int]) -> list[float]:
        return call(lambda: engine.score(prompt, ids, priority=PRIORITY_BACKGROUND))

    return attribute(content, render=engine.render, score=score, engine=record)


async def _collect(engine: Engine, request: GenerationRequest) -> tuple[str, list[Token]]:
    stream = engine.stream(request)
    text = ""
    tokens: list[Token] = []
    try:
        async for delta in stream:
            text += delta.text
            tokens.extend(delta.tokens)
    finally:
        await stream.aclose()
    return text, tokens


def _replay(engine: Engine, record: EngineRecord, content: TraceContent, call: _Caller, job: AnalysisJob) -> Replay:
    begun = time.perf_counter()
    without = tuple(str(chunk) for chunk in job.parameters.get("without", ()))
    is_free = bool(job.parameters.get("is_free", False))
    request = replay_request(
        content,
        engine,
        request_id=f"replay-{job.id}-{job.attempt}",
        without=without,
        is_free=is_free,
        priority=PRIORITY_BACKGROUND,
    )
    text, generated = call(lambda: _collect(engine, request))
    tokens = token_records(generated)
    differences = differences_between(content, record, without=without, is_free=is_free)
    largest, mean = shifts(content.tokens, tokens)
    return Replay(
        verdict=judge(content.tokens, tokens, differences),
        answer=text.strip(),
        tokens=tokens,
        engine=record,
        changes=token_changes(content.tokens, tokens),
        differences=differences,
        largest_shift=largest,
        mean_shift=mean,
        duration_ms=round((time.perf_counter() - begun) * 1000, 3),
        without=without,
        is_free=is_free,
    )


def _alternatives(
    engine: Engine, record: EngineRecord, content: TraceContent, call: _Caller, job: AnalysisJob
) -> Alternatives:
    begun = time.perf_counter()
    count = min(int(job.parameters.get("count", 3)), MAX_ALTERNATIVES)
    requests = [
        replay_request(
            content,
            engine,
            request_id=f"alternative-{job.id}-{job.attempt}-{seed}",
            is_free=True,
            temperature=ALTERNATIVE_TEMPERATURE,
            seed=seed,
            max_tokens=ALTERNATIVE_TOKENS,
            priority=PRIORITY_BACKGROUND,
        )
        for seed in range(1, count + 1)
    ]

    async def together() -> list[tuple[str, list[Token]]]:
        return list(await asyncio.gather(*(_collect(engine, request) for request in requests)))

    answers = tuple(
        AlternativeAnswer(text.strip(), mean_logprob(token_records(tokens)), len(tokens))
        for text, tokens in call(together)
    )
    return Alternatives(
        answers=answers,
        temperature=ALTERNATIVE_TEMPERATURE,
        engine=record,
        duration_ms=round((time.perf_counter() - begun) * 1000, 3),
    )

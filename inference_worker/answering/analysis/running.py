"""Runs one analysis of a finished answer: its causes, a replay, or alternative answers. In quiet moments only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog

from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.analysis.answering_again import alternatives, replay
from inference_worker.answering.analysis.attribution import NotAttributable, attribute
from inference_worker.answering.analysis.calling import Caller, Interrupted, SpareEngine
from inference_worker.answering.analysis.replay import (
    NotReplayable,
    UnknownPassage,
)
from inference_worker.answering.records import engine_record
from inference_worker.engine.contract import PRIORITY_BACKGROUND, Engine, EngineError, Prompt
from tracing.analyses import record_analysis
from tracing.analysis_content import AnalysisResult, Attribution, Replay
from tracing.content import EngineRecord, TraceContent
from tracing.job_failures import JobFailure
from tracing.jobs import claim_job, fail_job, finish_job, give_back_job
from tracing.models import AnalysisJob, AnalysisKind
from tracing.opening import content_of
from tracing.plain import to_plain
from tracing.serving import Served

logger = structlog.get_logger(__name__)

ENGINE_WAIT_SECONDS = 5.0


def run_analysis(spare: SpareEngine, *, tenant_id: UUID, job_id: UUID) -> bool:
    """Claim the job, do it, store the result sealed. True when it was interrupted and waits in the queue again."""
    if not spare.model.wait_ready(ENGINE_WAIT_SECONDS):
        # An attempt must not be spent on an engine that is being restarted.
        return not spare.is_stopping()
    job = claim_job(tenant_id=tenant_id, job_id=job_id)
    if job is None:
        return False
    log = logger.bind(job_id=str(job_id), tenant_id=str(tenant_id), kind=job.kind)
    if not _served(spare).fits(job):
        # The task was sent before this worker took another model's place; the sweep finds whose it is now.
        give_back_job(job, tenant_id=tenant_id, counts=False)
        log.info("analysis_of_another_model")
        return False
    try:
        result = _do(spare, job, tenant_id)
    except Interrupted:
        give_back_job(job, tenant_id=tenant_id, counts=False)
        return True
    except EngineError as error:
        log.warning("analysis_engine_error", retryable=error.retryable)
        if error.retryable:
            spare.model.suspect()
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


def _do(spare: SpareEngine, job: AnalysisJob, tenant_id: UUID) -> AnalysisResult:
    """The analysis, done and stored. Raises Interrupted also when the job is somebody else's meanwhile."""
    with tenant_atomic(tenant_id):
        content = content_of(job.trace)
    result = _analyse(spare, job, content)
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
    return result


def _served(spare: SpareEngine) -> Served:
    info = spare.model.engine.info()
    return Served(spare.alias or info.model, info.model, info.quantization)


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


def _analyse(spare: SpareEngine, job: AnalysisJob, content: TraceContent) -> AnalysisResult:
    call = Caller(spare, gives_way=job.is_automatic)
    engine, record = spare.model.engine, engine_record(spare.model.engine.info())
    if job.kind == AnalysisKind.ATTRIBUTION:
        return _attribution(engine, record, content, call)
    if job.kind == AnalysisKind.REPLAY:
        return replay(engine, record, content, call, job)
    return alternatives(engine, record, content, call, job)


def _attribution(engine: Engine, record: EngineRecord, content: TraceContent, call: Caller) -> Attribution:
    def score(prompt: Prompt, ids: Sequence[int]) -> list[float]:
        return call(lambda: engine.score(prompt, ids, priority=PRIORITY_BACKGROUND))

    return attribute(content, render=engine.render, score=score, engine=record)

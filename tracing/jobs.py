"""The life of an analysis in the database: ask, claim, finish, give back, fail. All by conditional UPDATE."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.permissions import Right
from helpdesk.queue.workers import WorkerStatus
from helpdesk.tenants.scope import current_tenant_id, tenant_atomic
from helpdesk.users.acting import needs
from helpdesk.users.models import User
from tracing.job_failures import JobFailure
from tracing.models import AnalysisJob, AnalysisKind, JobState, Trace, TraceAnalysis
from tracing.queueing import enqueue_analysis
from tracing.serving import Unserved, known_workers, queue_of

MAX_ATTEMPTS = 3
# A worker that is alive says so every few seconds.
LEASE = timedelta(seconds=45)
LOST_TASK = timedelta(seconds=60)
# With so many waiting, an answer is analysed only when somebody asks for it.
MAX_AUTOMATIC = 20

OPEN = (JobState.QUEUED, JobState.RUNNING)


@needs(Right.READ_TRACE_CONTENT)
def request_analysis(
    trace: Trace,
    *,
    kind: AnalysisKind,
    parameters: dict[str, Any] | None = None,
    user: User | None = None,
    api_key_id: UUID | None = None,
) -> AnalysisJob:
    """Ask for an analysis in the caller's tenant scope; the same one that is still open is returned instead.

    It fails at once when no worker serves the model that wrote the answer, or the one that `parameters` name instead.
    """
    job = _open_job(trace, kind=kind, parameters=parameters or {}, requested_by=user, requested_by_key_id=api_key_id)
    _send(job, current_tenant_id(), known_workers())
    return job


def request_automatic(trace: Trace, *, queue: str) -> None:
    """Ask for the causes of a new answer in the queue of those who wrote it, unless they are far behind with those before."""
    if AnalysisJob.objects.filter(state__in=OPEN, requested_by=None, requested_by_key=None).count() < MAX_AUTOMATIC:
        job = _open_job(trace, kind=AnalysisKind.ATTRIBUTION, parameters={})
        tenant_id = current_tenant_id()
        transaction.on_commit(lambda: enqueue_analysis(tenant_id, job.id, queue=queue))


def _open_job(trace: Trace, *, kind: AnalysisKind, parameters: dict[str, Any], **requester: Any) -> AnalysisJob:
    """A new job, or the same one that is open already."""
    wanted = {"trace": trace, "kind": str(kind), "parameters": parameters}
    AnalysisJob.objects.bulk_create([AnalysisJob(**wanted, **requester)], ignore_conflicts=True)
    note(Kind.ANALYSES)
    found: AnalysisJob = AnalysisJob.objects.filter(**wanted, state__in=OPEN).latest("queued_at")
    return found


def _send(job: AnalysisJob, tenant_id: UUID, workers: Sequence[WorkerStatus]) -> None:
    """To a worker that can do it, after the commit; while none is known the sweep asks again. Runs inside `tenant_atomic`."""
    queue = queue_of(job, workers)
    if isinstance(queue, Unserved):
        job.state, job.error_code, job.finished_at = JobState.FAILED, JobFailure.MODEL_UNAVAILABLE, timezone.now()
        AnalysisJob.objects.filter(id=job.id, state=JobState.QUEUED).update(
            state=job.state, error_code=job.error_code, finished_at=job.finished_at
        )
    elif queue is not None:
        transaction.on_commit(lambda: enqueue_analysis(tenant_id, job.id, queue=queue))


def claim_job(*, tenant_id: UUID, job_id: UUID) -> AnalysisJob | None:
    """Take a queued job; None when it is not queued any more."""
    with tenant_atomic(tenant_id):
        claimed = AnalysisJob.objects.filter(id=job_id, state=JobState.QUEUED).update(
            state=JobState.RUNNING, attempt=F("attempt") + 1, claimed_at=timezone.now()
        )
        if not claimed:
            return None
        job: AnalysisJob = AnalysisJob.objects.select_related("trace__key", "trace__conversation").get(id=job_id)
        return job


def renew_job(*, tenant_id: UUID, job_id: UUID) -> None:
    """Say that this job is still being worked on."""
    with tenant_atomic(tenant_id):
        AnalysisJob.objects.filter(id=job_id, state=JobState.RUNNING).update(claimed_at=timezone.now())


def finish_job(job: AnalysisJob, analysis: TraceAnalysis) -> bool:
    """Note the result, in the transaction that stores it; False when the job was given to another worker meanwhile."""
    return bool(
        AnalysisJob.objects.filter(id=job.id, state=JobState.RUNNING, attempt=job.attempt).update(
            state=JobState.DONE, finished_at=timezone.now(), analysis=analysis
        )
    )


def fail_job(job: AnalysisJob, *, tenant_id: UUID, code: JobFailure) -> None:
    """End the job without a result."""
    with tenant_atomic(tenant_id):
        AnalysisJob.objects.filter(id=job.id, state=JobState.RUNNING, attempt=job.attempt).update(
            state=JobState.FAILED, finished_at=timezone.now(), error_code=code
        )


def give_back_job(job: AnalysisJob, *, tenant_id: UUID, counts: bool) -> None:
    """Back to the queue; an interruption by customers does not count as an attempt."""
    with tenant_atomic(tenant_id):
        mine = AnalysisJob.objects.filter(id=job.id, state=JobState.RUNNING, attempt=job.attempt)
        if counts and job.attempt >= MAX_ATTEMPTS:
            mine.update(state=JobState.FAILED, finished_at=timezone.now(), error_code=JobFailure.ENGINE)
        else:
            mine.update(state=JobState.QUEUED, queued_at=timezone.now(), attempt=F("attempt") - (0 if counts else 1))


def recover_jobs(tenant_id: UUID) -> int:
    """Give back what a dead worker held and send lost tasks again; returns how many were waiting."""
    now = timezone.now()
    with tenant_atomic(tenant_id):
        orphaned = AnalysisJob.objects.filter(state=JobState.RUNNING, claimed_at__lt=now - LEASE)
        orphaned.filter(attempt__gte=MAX_ATTEMPTS).update(
            state=JobState.FAILED, finished_at=now, error_code=JobFailure.WORKER_LOST
        )
        orphaned.update(state=JobState.QUEUED, queued_at=now)
        waiting = AnalysisJob.objects.filter(state=JobState.QUEUED, queued_at__lt=now - LOST_TASK)
        jobs = list(waiting.select_related("trace").defer("trace__sealed", "trace__sealed_prompt")[:100])
        workers = known_workers() if jobs else []
        for job in jobs:
            _send(job, tenant_id, workers)
    return len(jobs)


def has_open_jobs() -> bool:
    """Whether an analysis of the tenant in scope waits or is being made."""
    return bool(AnalysisJob.objects.filter(state__in=OPEN).exists())


def open_jobs(trace: Trace) -> list[AnalysisJob]:
    """The trace's jobs that are not done, and of each kind the newest when it has failed."""
    found: list[AnalysisJob] = []
    newest: set[str] = set()
    for job in AnalysisJob.objects.filter(trace=trace).order_by("-queued_at")[:50]:
        if job.state in OPEN or (job.state == JobState.FAILED and job.kind not in newest):
            found.append(job)
        newest.add(job.kind)
    return found

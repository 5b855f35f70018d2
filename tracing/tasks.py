"""Background work on traces: analyses asked of the inference worker, and deleting what policies no longer keep."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from celery import shared_task
from django.core.cache import cache
from django.utils import timezone
from kombu.exceptions import OperationalError

from helpdesk.crypto import SealError
from helpdesk.pending.marks import sweep
from helpdesk.pending.models import Kind
from helpdesk.queue.celery import PRIORITY_BACKGROUND, app
from tracing.anchoring import anchor_noted_chains
from tracing.retention import apply_retention, has_limits

RUN_ANALYSIS = "inference_worker.run_analysis"
APPLY_RETENTION = "tracing.apply_retention"
LAST_RUN = "retention-last-run"
RUN_EVERY = timedelta(seconds=app.conf.beat_schedule["apply-retention"]["schedule"])

logger = structlog.get_logger(__name__)


@shared_task(name=APPLY_RETENTION)
def apply_retention_everywhere() -> int:
    """Apply every policy; returns how many rows were deleted or blanked. One tenant's trouble stops no other."""
    deleted = 0

    def apply(tenant_id: UUID) -> None:
        nonlocal deleted
        try:
            counts = apply_retention(tenant_id)
        except SealError as error:
            logger.error("retention_failed", tenant_id=str(tenant_id), reason=str(error))
            return
        if any(counts.values()):
            logger.info("retention_applied", tenant_id=str(tenant_id), **{str(kind): n for kind, n in counts.items()})
        deleted += sum(counts.values())

    cache.set(LAST_RUN, timezone.now(), 2 * RUN_EVERY.total_seconds())
    sweep(Kind.RETENTION, apply, has_open=has_limits)
    return deleted


@shared_task(name="tracing.anchor_chains")
def anchor_chains_everywhere() -> int:
    """Say outside the database how far each chain has come; returns how many had moved."""
    return anchor_noted_chains()


def next_retention_run() -> datetime | None:
    """About when policies are applied again; None when no run is known of."""
    last: datetime | None = cache.get(LAST_RUN)
    return last + RUN_EVERY if last else None


def enqueue_analysis(tenant_id: UUID, job_id: UUID, *, queue: str) -> None:
    """Send the task by name, with ids only. When the broker is away the sweep sends it later."""
    try:
        app.send_task(
            RUN_ANALYSIS,
            kwargs={"tenant_id": str(tenant_id), "job_id": str(job_id)},
            queue=queue,
            priority=PRIORITY_BACKGROUND,
            retry=False,
        )
    except (OperationalError, OSError) as error:
        logger.warning("analysis_not_enqueued", job_id=str(job_id), error=type(error).__name__)


@shared_task(name="tracing.sweep_analyses")
def sweep_analyses() -> None:
    """Send lost requests for an analysis again."""
    # jobs needs `enqueue_analysis` from here.
    from tracing.jobs import has_open_jobs, recover_jobs

    sweep(Kind.ANALYSES, recover_jobs, has_open=has_open_jobs)

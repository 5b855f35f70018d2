"""Periodic work on traces: lost analyses are asked for again, and what policies no longer keep is deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from helpdesk.crypto import SealError
from helpdesk.pending.marks import sweep
from helpdesk.pending.models import Kind
from helpdesk.queue.celery import app
from tracing.anchoring import anchor_noted_chains
from tracing.jobs import has_open_jobs, recover_jobs
from tracing.retention import apply_retention, has_limits

APPLY_RETENTION = "tracing.apply_retention"
LAST_RUN = "retention-last-run"
RUN_EVERY = timedelta(seconds=app.conf.beat_schedule["apply-retention"]["schedule"])

logger = structlog.get_logger(__name__)


@shared_task(name=APPLY_RETENTION)
def apply_retention_everywhere() -> int:
    """Apply every policy; returns how many rows were deleted or blanked. One tenant's trouble stops no other."""
    deleted = 0
    cache.set(LAST_RUN, timezone.now(), 2 * RUN_EVERY.total_seconds())
    for tenant_id in sweep(Kind.RETENTION, has_open=has_limits):
        try:
            counts = apply_retention(tenant_id)
        except SealError as error:
            logger.error("retention_failed", tenant_id=str(tenant_id), reason=str(error))
            continue
        if any(counts.values()):
            logger.info("retention_applied", tenant_id=str(tenant_id), **{str(kind): n for kind, n in counts.items()})
        deleted += sum(counts.values())
    return deleted


@shared_task(name="tracing.anchor_chains")
def anchor_chains_everywhere() -> int:
    """Say outside the database how far each chain has come; returns how many had moved."""
    return anchor_noted_chains()


def next_retention_run() -> datetime | None:
    """About when policies are applied again; None when no run is known of."""
    last: datetime | None = cache.get(LAST_RUN)
    return last + RUN_EVERY if last else None


@shared_task(name="tracing.sweep_analyses")
def sweep_analyses() -> None:
    """Send lost requests for an analysis again."""
    for tenant_id in sweep(Kind.ANALYSES, has_open=has_open_jobs):
        recover_jobs(tenant_id)

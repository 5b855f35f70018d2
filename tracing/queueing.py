"""Asking the inference worker for an analysis, by the task's name."""

from __future__ import annotations

from uuid import UUID

import structlog
from kombu.exceptions import OperationalError

from helpdesk.queue.celery import STEP_BACKGROUND, app

RUN_ANALYSIS = "inference_worker.run_analysis"

logger = structlog.get_logger(__name__)


def enqueue_analysis(tenant_id: UUID, job_id: UUID, *, queue: str) -> None:
    """Send the task with ids only. When the broker is away the sweep sends it later."""
    try:
        app.send_task(
            RUN_ANALYSIS,
            kwargs={"tenant_id": str(tenant_id), "job_id": str(job_id)},
            queue=queue,
            priority=STEP_BACKGROUND,
            retry=False,
        )
    except (OperationalError, OSError) as error:
        logger.warning("analysis_not_enqueued", job_id=str(job_id), error=type(error).__name__)

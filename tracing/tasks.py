"""Names of the tasks about traces, and the periodic sweep that makes a lost one harmless."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from helpdesk.celery import INFERENCE_QUEUE, PRIORITY_BACKGROUND, app
from helpdesk.tenants.models import Tenant

logger = structlog.get_logger(__name__)

RUN_ANALYSIS = "inference_worker.run_analysis"


def enqueue_analysis(tenant_id: UUID, job_id: UUID) -> None:
    """Send the task by name, with ids only. When the broker is away the sweep sends it later."""
    try:
        app.send_task(
            RUN_ANALYSIS,
            kwargs={"tenant_id": str(tenant_id), "job_id": str(job_id)},
            queue=INFERENCE_QUEUE,
            priority=PRIORITY_BACKGROUND,
            retry=False,
        )
    except (OperationalError, OSError) as error:
        logger.warning("analysis_not_enqueued", job_id=str(job_id), error=type(error).__name__)


@shared_task(name="tracing.sweep_analyses")
def sweep_analyses() -> None:
    """Send lost requests for an analysis again."""
    from tracing.jobs import recover_jobs

    for tenant_id in Tenant.objects.values_list("id", flat=True):
        recover_jobs(tenant_id)

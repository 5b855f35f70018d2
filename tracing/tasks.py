"""Background work on traces: deleting what the tenants' policies no longer keep."""

from __future__ import annotations

import structlog
from celery import shared_task

from helpdesk.crypto import SealError
from helpdesk.tenants.models import Tenant
from tracing.retention import apply_retention

APPLY_RETENTION = "tracing.apply_retention"

logger = structlog.get_logger(__name__)


@shared_task(name=APPLY_RETENTION)
def apply_retention_everywhere() -> int:
    """Apply every tenant's policy; returns how many rows were deleted or blanked. One tenant's trouble stops no other."""
    deleted = 0
    for tenant_id in Tenant.objects.values_list("id", flat=True):
        try:
            counts = apply_retention(tenant_id)
        except SealError as error:
            logger.error("retention_failed", tenant_id=str(tenant_id), reason=str(error))
            continue
        if any(counts.values()):
            logger.info("retention_applied", tenant_id=str(tenant_id), **{str(kind): n for kind, n in counts.items()})
        deleted += sum(counts.values())
    return deleted

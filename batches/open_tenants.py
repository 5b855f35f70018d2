"""Which tenants have open batches: a hint in Redis, so that a feeder need not ask every tenant every second.

The database is the truth: all tenants are asked again at least once a minute, and at once after Redis lost the hint.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

import redis
import structlog

from batches.models import OPEN_STATES, Batch
from helpdesk.streams.writer import client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)

KEY = "glassdesk:batches:tenants"
SCANNED_KEY = "glassdesk:batches:scanned"
SCAN_SECONDS = 60


def note_open(tenant_id: UUID) -> None:
    """The tenant has an open batch. When Redis is away, the next scan finds it."""
    try:
        client().sadd(KEY, str(tenant_id))
    except redis.RedisError as error:
        logger.warning("open_batch_not_noted", tenant_id=str(tenant_id), error=type(error).__name__)


def open_tenants() -> list[UUID]:
    """The tenants that have open batches, or had some a moment ago. Raises redis.RedisError."""
    if client().set(SCANNED_KEY, b"1", nx=True, ex=SCAN_SECONDS):
        for tenant_id in Tenant.objects.values_list("id", flat=True):
            if _has_open(tenant_id):
                note_open(tenant_id)
    members = cast("set[bytes]", client().smembers(KEY))
    return sorted(UUID(member.decode()) for member in members)


def forget_if_closed(tenant_id: UUID) -> None:
    """Take the tenant off the list unless a batch was submitted meanwhile. Raises redis.RedisError."""
    client().srem(KEY, str(tenant_id))
    # A submission that committed before this look and noted itself before the removal would be forgotten.
    if _has_open(tenant_id):
        note_open(tenant_id)


def _has_open(tenant_id: UUID) -> bool:
    with tenant_atomic(tenant_id):
        return bool(Batch.objects.filter(state__in=OPEN_STATES).exists())

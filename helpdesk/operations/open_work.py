"""The slow look at every tenant for open work that nobody noted: a safety net, and an alarm."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import structlog

from batches.queries import has_open_batches
from conversations.queries import has_due_alarms, has_due_snoozes, has_open_replies
from helpdesk.api.idempotency import has_expired_requests
from helpdesk.facts.relay import has_old_facts, has_owed
from helpdesk.pending.marks import HasOpen, note_missed
from helpdesk.pending.models import Kind
from helpdesk.tenants.models import Tenant
from knowledge.queries import is_waiting_for_vectors
from knowledge.rewriting import has_outdated_passages
from reviews.sampling import has_sampling
from tracing.anchoring import is_behind
from tracing.jobs import has_open_jobs
from tracing.retention import has_limits

logger = structlog.get_logger(__name__)

HAS_OPEN: Mapping[Kind, HasOpen] = {
    Kind.REPLIES: has_open_replies,
    Kind.BATCHES: has_open_batches,
    Kind.EMBEDDINGS: is_waiting_for_vectors,
    Kind.REWRITING: has_outdated_passages,
    Kind.ANALYSES: has_open_jobs,
    Kind.ANCHORS: is_behind,
    Kind.RETENTION: has_limits,
    Kind.IDEMPOTENCY: has_expired_requests,
    Kind.FACTS: has_owed,
    Kind.OLD_FACTS: has_old_facts,
    Kind.HAND_OFFS: has_due_alarms,
    Kind.SNOOZES: has_due_snoozes,
    Kind.REVIEWS: has_sampling,
}
# What comes about without a transaction that could note it: the rules of a new version, a chain not yet begun or altered.
UNNOTED = frozenset({Kind.REWRITING, Kind.ANCHORS})
SHARES = 60


def check_share(share: int) -> int:
    """Look at one share of the tenants, of SHARES; returns how many kinds of work were not noted and are now."""
    missed = 0
    for tenant_id in Tenant.objects.values_list("id", flat=True):
        if tenant_id.int % SHARES == share:
            missed += _check(tenant_id)
    return missed


def _check(tenant_id: UUID) -> int:
    missed = note_missed(HAS_OPEN, tenant_id)
    for kind in missed:
        if kind not in UNNOTED:
            logger.error("open_work_not_noted", tenant_id=str(tenant_id), kind=str(kind))
    return len(missed)

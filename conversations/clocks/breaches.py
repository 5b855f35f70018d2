"""Promises that were not kept in time: the company's people are told once, whoever looks and however often."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from conversations.models import Clock, Conversation
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.recording import record
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)


def breaches_due() -> QuerySet[Clock]:
    """Clocks whose time is up, and of which nobody was told. Runs inside `tenant_atomic`."""
    rows: QuerySet[Clock] = Clock.objects.filter(ended_at__isnull=True, breached_at__isnull=True)
    return rows.filter(due_at__lte=timezone.now(), conversation__deleted_at__isnull=True)


def has_breaches() -> bool:
    """Whether the tenant has some."""
    return breaches_due().exists()


def raise_breaches(tenant_id: UUID) -> int:
    """Raise what is due; returns how many. Each has a transaction of its own, so that nobody waits for the others' locks."""
    with tenant_atomic(tenant_id):
        due = list(breaches_due().order_by("due_at").values_list("id", "conversation_id"))
    return sum(_raise(tenant_id, clock_id, conversation_id) for clock_id, conversation_id in due)


def _raise(tenant_id: UUID, clock_id: UUID, conversation_id: UUID) -> bool:
    with tenant_atomic(tenant_id):
        # The conversation's lock first, as everywhere: whoever answers at this moment comes before or after.
        rows = Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id)
        conversation: Conversation | None = rows.first()
        now = timezone.now()
        if conversation is None or not breaches_due().filter(id=clock_id).update(breached_at=now):
            return False
        clock = Clock.objects.get(id=clock_id)
        Conversation.objects.filter(id=conversation_id, overdue_at__isnull=True).update(overdue_at=now)
        record(
            FactKind.CLOCK_BREACHED, conversation_id=conversation_id, subject_id=clock_id,
            clock=clock.kind, priority=clock.priority, channel=conversation.channel,
        )  # fmt: skip
    logger.info("clock_breached", conversation_id=str(conversation_id), clock=clock.kind)
    return True

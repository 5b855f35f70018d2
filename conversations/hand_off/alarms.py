"""Hand-offs that nobody takes: the company's people are told once, whoever looks and however often."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.utils import timezone

from conversations.models import Conversation, ConversationStatus
from conversations.queries import alarms_due
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.recording import record
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)


def raise_alarms(tenant_id: UUID) -> int:
    """Raise what is due; returns how many. Each has a transaction of its own, so that nobody waits for the others' locks."""
    with tenant_atomic(tenant_id):
        due = list(alarms_due().order_by("alarm_at").values_list("id", "conversation_id"))
    return sum(_raise(tenant_id, hand_off_id, conversation_id) for hand_off_id, conversation_id in due)


def _raise(tenant_id: UUID, hand_off_id: UUID, conversation_id: UUID) -> bool:
    with tenant_atomic(tenant_id):
        # The conversation's lock first, as everywhere: whoever takes it at this moment comes before or after.
        rows = Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id)
        conversation: Conversation | None = rows.first()
        now = timezone.now()
        if conversation is None or not alarms_due().filter(id=hand_off_id).update(alarmed_at=now):
            return False
        hand_off = conversation.hand_offs.get(id=hand_off_id)
        Conversation.objects.filter(id=conversation_id, status=ConversationStatus.WAITING).update(alarmed_at=now)
        record(
            FactKind.HAND_OFF_UNCLAIMED, conversation_id=conversation_id, hand_off=hand_off_id,
            reason=hand_off.reason, seconds=int((now - hand_off.began_at).total_seconds()), channel=conversation.channel,
        )  # fmt: skip
    logger.info("hand_off_unclaimed", conversation_id=str(conversation_id))
    return True

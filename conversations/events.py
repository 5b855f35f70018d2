"""Who has to act in a conversation, recorded as a fact."""

from __future__ import annotations

from uuid import UUID

from helpdesk.facts.kinds import FactKind
from helpdesk.facts.recording import record


def announce(tenant_id: UUID, conversation_id: UUID, kind: FactKind) -> None:
    """Record it inside the caller's transaction, under the conversation's lock."""
    record(kind, conversation_id=conversation_id)


def status_changed() -> FactKind:
    """Who has to act changed."""
    return FactKind.STATUS_CHANGED

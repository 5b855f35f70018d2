"""Ending many conversations at once."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from conversations import domain
from conversations.inbox.triage.choosing import IS_UNRESOLVED, chosen
from helpdesk.facts.kinds import Actor
from helpdesk.permissions import Right
from helpdesk.tenants.scope import current_tenant_id
from helpdesk.users.acting import needs


@needs(Right.REPLY)
def resolve(conversation_ids: Iterable[UUID], *, actor: Actor) -> int:
    """Close them, each as by itself: an answer that is being written in one has to be stopped."""
    ids = chosen(conversation_ids, IS_UNRESOLVED)
    for each in ids:
        domain.close_conversation(tenant_id=current_tenant_id(), conversation_id=each, actor=actor)
    return len(ids)

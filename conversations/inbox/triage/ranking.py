"""How much a conversation matters."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from conversations.inbox.triage.choosing import chosen
from conversations.models import Conversation, Priority
from helpdesk.facts.kinds import Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.users.acting import needs


@needs(Right.REPLY)
def set_priority(conversation_ids: Iterable[UUID], *, priority: Priority, actor: Actor) -> int:
    """Give them this priority."""
    ids = chosen(conversation_ids, ~Q(priority=priority))
    Conversation.objects.filter(id__in=ids).update(priority=priority)
    for each in ids:
        record(FactKind.PRIORITY_CHANGED, conversation_id=each, actor=actor, priority=str(priority))
    return len(ids)

"""A visitor's conversations, for that visitor alone: which ones there are, and what was said in one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from conversations.models import Channel, Conversation
from conversations.queries import conversation_by_id, describe_conversation, describe_message, transcript
from conversations.shapes import EarlierConversationShape
from helpdesk.errors import NotFound
from helpdesk.tenants.scope import tenant_atomic

PAGE = 20


def earlier_conversations(*, tenant_id: UUID, visitor_id: UUID, after: UUID | None = None) -> dict[str, Any]:
    """A page of them, the latest first; `after` is the last one of the page before. `next` is null on the last page.

    Raises NotFound for an `after` that is none of theirs.
    """
    with tenant_atomic(tenant_id):
        rows = _of(visitor_id).order_by("-last_message_at", "-id")
        if after is not None:
            last = rows.filter(id=after).values_list("last_message_at", flat=True).first()
            if last is None:
                raise NotFound
            rows = rows.filter(Q(last_message_at__lt=last) | Q(last_message_at=last, id__lt=after))
        found = list(rows[: PAGE + 1])
        return {
            "data": [EarlierConversationShape.of(each).as_json() for each in found[:PAGE]],
            "next": str(found[PAGE - 1].id) if len(found) > PAGE else None,
        }


def earlier_conversation(*, tenant_id: UUID, visitor_id: UUID, conversation_id: UUID) -> dict[str, Any]:
    """One of them with its transcript, as the objects of the protocol. Raises NotFound."""
    with tenant_atomic(tenant_id):
        if not _of(visitor_id).filter(id=conversation_id).exists():
            raise NotFound
        return {
            "conversation": describe_conversation(conversation_by_id(conversation_id)),
            "messages": [describe_message(message) for message in transcript(conversation_id)],
        }


def _of(visitor_id: UUID) -> QuerySet[Conversation]:
    rows: QuerySet[Conversation] = Conversation.objects.filter(
        visitor_id=visitor_id, channel=Channel.WIDGET, deleted_at__isnull=True, message_count__gt=0
    )
    return rows

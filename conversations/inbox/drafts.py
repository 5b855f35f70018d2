"""Replies that people have begun, so that they go on with them on any device. Runs inside `tenant_atomic`."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from conversations.models import Author, Conversation, Draft, Message
from conversations.validation import MESSAGE_CHARACTERS
from helpdesk.errors import MessageTooLong, NotFound
from helpdesk.permissions import Right
from helpdesk.users.acting import needs

# Longer than what can be sent: the text may still have to be cut.
MOST_CHARACTERS = 4 * MESSAGE_CHARACTERS


@needs(Right.REPLY)
def save_draft(conversation_id: UUID, *, user_id: int, body: str, seen: int | None = None) -> None:
    """Keep it in place of the one before; an empty one is none. Raises NotFound or MessageTooLong.

    `seen` is the last message that the writer knew: one that comes late, after they have sent it, is dropped.
    """
    if len(body) > MOST_CHARACTERS:
        raise MessageTooLong(limit=MOST_CHARACTERS, length=len(body))
    # The lock of whoever sends: before or after.
    rows = Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id, deleted_at__isnull=True)
    if not rows.values_list("id").first():
        raise NotFound
    if not body.strip():
        forget_draft(conversation_id, user_id=user_id)
        return
    mine = Message.objects.filter(conversation=conversation_id, author=Author.PERSON, user=user_id)
    if seen is not None and mine.filter(position__gt=seen).exists():
        return
    Draft.objects.update_or_create(
        conversation_id=conversation_id, user_id=user_id, defaults={"body": body, "updated_at": timezone.now()}
    )


@needs(Right.REPLY)
def forget_draft(conversation_id: UUID, *, user_id: int) -> None:
    """It was sent, or given up."""
    Draft.objects.filter(conversation=conversation_id, user=user_id).delete()


def draft_in(conversation_id: UUID, user_id: int) -> str:
    """What the person has begun to write there."""
    rows = Draft.objects.filter(conversation=conversation_id, user=user_id)
    return str(rows.values_list("body", flat=True).first() or "")


def drafted(conversation_ids: Collection[UUID], user_id: int) -> frozenset[UUID]:
    """In which of these the person has begun one; one query."""
    rows = Draft.objects.filter(conversation__in=conversation_ids, user=user_id)
    return frozenset(rows.values_list("conversation", flat=True))

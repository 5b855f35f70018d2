"""Adding to a conversation's transcript: the one place where messages of an ongoing conversation are numbered."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from conversations import events
from conversations.models import Author, Conversation, Message
from helpdesk.tenants.scope import current_tenant_id


def append_message(conversation: Conversation, *, author: Author, body: str, **fields: Any) -> Message:
    """Add a transcript entry under the conversation's lock and announce it. Runs inside the caller's transaction."""
    locked: Conversation = Conversation.objects.select_for_update(no_key=True).get(id=conversation.id)
    locked.message_count += 1
    locked.last_message_at = timezone.now()
    locked.last_author = author
    locked.preview = " ".join(body.split())[:160]
    locked.save(update_fields=["message_count", "last_message_at", "last_author", "preview"])
    message: Message = Message.objects.create(
        conversation=locked, position=locked.message_count, author=author, body=body, **fields
    )
    events.announce(current_tenant_id(), locked.id, events.message_posted(message.id))
    return message

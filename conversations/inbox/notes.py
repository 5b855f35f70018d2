"""Private notes: what the company's people write for each other in a conversation.

They are rows of their own, which no message, socket of a customer or API reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.db import transaction

from conversations.entries import InboxChanged, to_plain
from conversations.inbox.desk import Entry
from conversations.inbox.seeing import call, mentioned_in
from conversations.models import Conversation, Note
from conversations.publishing import publish_softly
from conversations.validation import clean_body
from helpdesk.errors import NotFound
from helpdesk.facts.kinds import FactKind, user_actor
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.streams.entries import inbox_stream
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from helpdesk.users.models import User
from helpdesk.users.queries import people_with


@needs(Right.REPLY)
def add_note(*, tenant_id: UUID, conversation_id: UUID, user: User, body: object) -> Note:
    """Keep a note behind the last message; whom it names by `@` finds it among their mentions.

    Raises InvalidInput, MessageTooLong, or NotFound.
    """
    text = clean_body(body)
    with tenant_atomic(tenant_id):
        rows = Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id, deleted_at__isnull=True)
        conversation: Conversation | None = rows.first()
        if conversation is None:
            raise NotFound
        note: Note = Note.objects.create(
            conversation=conversation, user=user, body=text, position=conversation.message_count
        )
        called = call(note, mentioned_in(text, people_with(Right.SEE_CONVERSATIONS))) if "@" in text else 0
        record(
            FactKind.NOTE_ADDED, conversation_id=conversation_id, subject_id=note.id, actor=user_actor(user),
            position=note.position, mentions=called,
        )  # fmt: skip
        # The desks alone: not even that there is something reaches the customer's socket.
        news = {inbox_stream(tenant_id): to_plain(InboxChanged(conversation=conversation_id))}
        transaction.on_commit(partial(publish_softly, news))
        return note


def notes_of(conversation_id: UUID) -> list[Note]:
    """All of a conversation, the oldest first, with their writers. Runs inside `tenant_atomic`."""
    return list(
        Note.objects.filter(conversation_id=conversation_id).select_related("user").order_by("created_at", "id")
    )


def with_notes(entries: Sequence[Entry], notes: Sequence[Note]) -> list[Entry]:
    """Each entry with the notes that were written behind it."""
    return [
        replace(entry, notes=tuple(each for each in notes if each.position == entry.message.position))
        for entry in entries
    ]

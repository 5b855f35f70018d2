"""What happens in a conversation, announced as stream entries. They carry ids, except for the text of an answer being written."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from conversations.entries import (
    AnswerStored,
    InboxChanged,
    MessagePosted,
    ReplyBegun,
    ReplyFailed,
    StatusChanged,
    StreamEntry,
    to_plain,
)
from helpdesk.streams.entries import conversation_stream, inbox_stream
from helpdesk.streams.writer import try_publish


def announce(tenant_id: UUID, conversation_id: UUID, *entries: StreamEntry) -> None:
    """Publish entries to the conversation's sockets, and its id to the inbox, once the transaction has committed."""

    def publish_all() -> None:
        for entry in entries:
            try_publish(conversation_stream(tenant_id, conversation_id), to_plain(entry))
        try_publish(inbox_stream(tenant_id), to_plain(InboxChanged(conversation=conversation_id)))

    transaction.on_commit(publish_all)


def message_posted(message_id: UUID) -> MessagePosted:
    """A new transcript entry."""
    return MessagePosted(message_id=message_id)


def reply_begun(reply_id: UUID, attempt: int, *, wait_seconds: int | None = None) -> ReplyBegun:
    """A reply was queued (and will be taken up after about so many seconds), or is begun by a worker."""
    return ReplyBegun(reply=reply_id, attempt=attempt, wait_seconds=wait_seconds)


def reply_done(reply_id: UUID, attempt: int, message_id: UUID) -> AnswerStored:
    """The final text stands in the transcript."""
    return AnswerStored(reply=reply_id, attempt=attempt, message_id=message_id)


def reply_failed(reply_id: UUID, code: str) -> ReplyFailed:
    """No answer will come."""
    return ReplyFailed(reply=reply_id, code=code)


def status_changed() -> StatusChanged:
    """Who has to act changed."""
    return StatusChanged()

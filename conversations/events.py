"""What happens in a conversation, as stream entries. They carry ids, except for the deltas of an answer being written."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from helpdesk.streams.entries import conversation_stream, inbox_stream
from helpdesk.streams.writer import try_publish


def announce(tenant_id: UUID, conversation_id: UUID, *entries: dict[str, Any]) -> None:
    """Publish entries to the conversation's sockets, and its id to the inbox, once the transaction has committed."""

    def publish_all() -> None:
        for entry in entries:
            try_publish(conversation_stream(tenant_id, conversation_id), entry)
        try_publish(inbox_stream(tenant_id), {"type": "inbox", "conversation": str(conversation_id)})

    transaction.on_commit(publish_all)


def message_posted(message_id: UUID) -> dict[str, Any]:
    """A new transcript entry."""
    return {"type": "message", "message_id": str(message_id)}


def reply_begun(reply_id: UUID, attempt: int, *, wait_seconds: int | None = None) -> dict[str, Any]:
    """A reply was queued (and will be taken up after about so many seconds), or is begun by a worker."""
    entry = {"type": "reply", "reply": str(reply_id), "attempt": attempt}
    return entry if wait_seconds is None else {**entry, "wait_seconds": wait_seconds}


def reply_done(reply_id: UUID, attempt: int, message_id: UUID) -> dict[str, Any]:
    """The final text stands in the transcript."""
    return {"type": "done", "reply": str(reply_id), "attempt": attempt, "message_id": str(message_id)}


def reply_failed(reply_id: UUID, code: str) -> dict[str, Any]:
    """No answer will come."""
    return {"type": "failed", "reply": str(reply_id), "code": code}


def status_changed() -> dict[str, Any]:
    """Who has to act changed."""
    return {"type": "status"}

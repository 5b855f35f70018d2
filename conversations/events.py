"""What happens in a conversation, recorded as facts. Their entries in the streams are made by conversations/publishing.py."""

from __future__ import annotations

from uuid import UUID

from conversations.entries import AnswerStored, MessagePosted, ReplyBegun, ReplyFailed, StatusChanged
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.recording import record

Event = MessagePosted | ReplyBegun | AnswerStored | ReplyFailed | StatusChanged


def announce(tenant_id: UUID, conversation_id: UUID, *entries: Event) -> None:
    """Record what happened, inside the caller's transaction, under the conversation's lock."""
    for entry in entries:
        _record(conversation_id, entry)


def _record(conversation_id: UUID, entry: Event) -> None:
    match entry:
        case MessagePosted():
            record(FactKind.MESSAGE_POSTED, conversation_id=conversation_id, subject_id=entry.message_id)
        case ReplyBegun():
            record(
                FactKind.REPLY_BEGUN if entry.attempt else FactKind.REPLY_QUEUED,
                conversation_id=conversation_id, subject_id=entry.reply,
                attempt=entry.attempt, wait_seconds=entry.wait_seconds,
            )  # fmt: skip
        case AnswerStored():
            record(
                FactKind.REPLY_DONE, conversation_id=conversation_id, subject_id=entry.reply,
                attempt=entry.attempt, message_id=entry.message_id,
            )  # fmt: skip
        case ReplyFailed():
            record(FactKind.REPLY_FAILED, conversation_id=conversation_id, subject_id=entry.reply, code=entry.code)
        case StatusChanged():
            record(FactKind.STATUS_CHANGED, conversation_id=conversation_id)


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

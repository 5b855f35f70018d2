"""What stands in the streams of conversations and inboxes: the kinds of entries and their members (docs/protocol.md).

Nothing else names these members. A newer worker may write kinds and members that this process does not know: readers pass
them over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from typing import Any, ClassVar, get_args
from uuid import UUID

import structlog

TYPES: dict[str, type[Any]] = {"UUID": UUID, "int": int, "str": str}

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePosted:
    """A message is new in the transcript, or something about it changed."""

    kind: ClassVar[str] = "message"
    message_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyBegun:
    """A reply was queued (attempt 0; a worker fetches it after about so many seconds) or a worker begins it, perhaps anew."""

    kind: ClassVar[str] = "reply"
    reply: UUID
    attempt: int
    wait_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseReached:
    """What is done for the reply now, and the format of the text that follows once that is known."""

    kind: ClassVar[str] = "phase"
    reply: UUID
    attempt: int
    phase: str
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWritten:
    """Text of an answer that is being written, numbered from 1 in each attempt."""

    kind: ClassVar[str] = "delta"
    reply: UUID
    attempt: int
    sequence: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStored:
    """The answer stands in the transcript."""

    kind: ClassVar[str] = "done"
    reply: UUID
    attempt: int
    message_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFailed:
    """No answer will come."""

    kind: ClassVar[str] = "failed"
    reply: UUID
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """Who has to act in the conversation changed."""

    kind: ClassVar[str] = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxChanged:
    """Something changed in that conversation."""

    kind: ClassVar[str] = "inbox"
    conversation: UUID


StreamEntry = (
    MessagePosted | ReplyBegun | PhaseReached | TextWritten | AnswerStored | ReplyFailed | StatusChanged | InboxChanged
)
KINDS: dict[str, type[StreamEntry]] = {each.kind: each for each in get_args(StreamEntry)}


def to_plain(entry: StreamEntry) -> dict[str, Any]:
    """The entry as it is written; what is not known is left out."""
    members = {field.name: getattr(entry, field.name) for field in fields(entry)}
    known = {name: value for name, value in members.items() if value is not None}
    return {"type": entry.kind} | {
        name: str(value) if isinstance(value, UUID) else value for name, value in known.items()
    }


def from_plain(data: Mapping[str, Any]) -> StreamEntry | None:
    """The entry that was read; None for what this process does not know."""
    name = data.get("type")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        return None
    try:
        members = {
            field.name: _read(field, data[field.name]) for field in fields(kind) if data.get(field.name) is not None
        }
        return kind(**members)
    except (TypeError, ValueError) as error:
        logger.warning("stream_entry_unreadable", kind=name, error=type(error).__name__)
        return None


def _read(field: Field[Any], value: Any) -> Any:
    """The member's value. Raises TypeError or ValueError for one of another type."""
    read = TYPES[str(field.type).removesuffix(" | None")]
    if not isinstance(value, int if read is int else str):
        raise TypeError(field.name)
    return read(value)

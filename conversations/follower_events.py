"""What a follower of a reply, a conversation or an inbox receives; callers render it.

`id` is that of the stream's entry that said so, the cursor from which a client may go on; None when a row said it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from conversations.entries import PhaseReached, ReplyBegun, TextWritten

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Came:
    """An entry that says everything itself."""

    id: str
    entry: ReplyBegun | PhaseReached | TextWritten


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """The answer stands."""

    id: str | None
    reply: UUID
    attempt: int
    answer: T


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer will come; `attempt` is None where the row was not asked."""

    id: str | None
    reply: UUID
    attempt: int | None
    code: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole conversation as it is now, in place of everything before; what follows begins behind `cursor`."""

    cursor: str
    conversation: dict[str, Any]
    messages: list[dict[str, Any]]
    replies: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Resumed:
    """Only what is new behind `cursor` follows."""

    cursor: str


@dataclass(frozen=True, slots=True)
class Posted:
    """A message of the transcript, new or changed."""

    id: str
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StatusNow:
    """Who has to act."""

    id: str
    conversation: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InboxNews:
    """Something changed in that conversation; None: perhaps in any."""

    conversation: UUID | None


ReplyEvent = Came | Answered[T] | Failed
ConversationEvent = Snapshot | Resumed | Posted | StatusNow | Came | Answered[dict[str, Any]] | Failed


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing came for a while."""

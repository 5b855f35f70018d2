"""What can be followed: a reply, a conversation or an inbox.

Each knows its stream, where to begin in it, what an entry means to its followers, and what its rows say by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from conversations.entries import (
    AnswerStored,
    InboxChanged,
    MessagePosted,
    PhaseReached,
    ReplyBegun,
    ReplyFailed,
    StatusChanged,
    StreamEntry,
    TextWritten,
    from_plain,
)
from conversations.failures import FailureCode
from conversations.follower_events import (
    Answered,
    Came,
    ConversationEvent,
    Failed,
    InboxNews,
    Posted,
    ReplyEvent,
    Resumed,
    Snapshot,
    StatusNow,
)
from conversations.models import Message, Reply
from conversations.queries import (
    IN_FLIGHT,
    conversation_by_id,
    describe_conversation,
    describe_message,
    describe_replies,
    replies_in_flight,
    transcript,
)
from helpdesk.streams.entries import START, conversation_stream, inbox_stream
from helpdesk.streams.hub import hub
from helpdesk.tenants.off_loop import in_database
from helpdesk.tenants.scope import tenant_atomic

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedReply(Generic[T]):
    """One reply, to its end. `read_answer` reads what the follower wants of the answer, within the tenant's scope."""

    ends: ClassVar[bool] = True

    tenant_id: UUID
    conversation_id: UUID
    reply_id: UUID
    read_answer: Callable[[Reply], T]

    @property
    def stream(self) -> str:
        return conversation_stream(self.tenant_id, self.conversation_id)

    async def begin(self, cursor: str | None, *, is_anew: bool) -> tuple[str, None]:
        """Behind `cursor` when the stream still holds that entry, else at its beginning."""
        is_held = cursor is not None and await hub().has_entry(self.stream, cursor)
        return (cursor if cursor is not None and is_held else START), None

    async def event_from(self, entry_id: str, entry: StreamEntry) -> ReplyEvent[T] | None:
        """What the entry says of this reply; how it ended is read from its row."""
        match entry:
            case ReplyBegun() | PhaseReached() | TextWritten() if entry.reply == self.reply_id:
                return Came(entry_id, entry)
            case AnswerStored() | ReplyFailed() if entry.reply == self.reply_id:
                return await in_database(self._ending, entry_id)
        return None

    async def look(self) -> ReplyEvent[T] | None:
        """How it ended, from its row; None while it has not."""
        return await in_database(self._ending, None)

    def _ending(self, entry_id: str | None) -> Answered[T] | Failed | None:
        with tenant_atomic(self.tenant_id):
            row: Reply | None = Reply.objects.select_related("answer").filter(id=self.reply_id).first()
            if row is None:
                return Failed(entry_id, self.reply_id, 0, FailureCode.DELETED)
            if row.status in IN_FLIGHT:
                return None
            if row.answer is None:
                return Failed(entry_id, row.id, row.attempt, row.error_code)
            return Answered(entry_id, row.id, row.attempt, self.read_answer(row))


def nothing_of(answer: Reply) -> None:
    """For a follower that wants to know only how the reply ended."""


def describe_answer(reply: Reply) -> dict[str, Any]:
    """The reply's answer as the `message` object of the protocol."""
    return describe_message(_messages().get(id=reply.answer_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedConversation:
    """One conversation, for as long as it stands. Raises NotFound once it is deleted.

    `asked` is the reply to what this follower has just posted: how it ended is said also when it ended before the snapshot.
    """

    ends: ClassVar[bool] = False

    tenant_id: UUID
    conversation_id: UUID
    asked: UUID | None = None

    @property
    def stream(self) -> str:
        return conversation_stream(self.tenant_id, self.conversation_id)

    async def begin(self, cursor: str | None, *, is_anew: bool) -> tuple[str, Snapshot | Resumed]:
        """Behind the entry that a client came back with, else with a snapshot and from before replies in flight.

        A client that drops before it has all of their text resumes from there, so that it misses none of it.
        """
        if cursor is not None and not is_anew and await hub().has_entry(self.stream, cursor):
            return cursor, Resumed(cursor)
        newest = await hub().last_id(self.stream)
        conversation, messages, replies = await in_database(self._read)
        running = {UUID(reply["id"]) for reply in replies}
        start = await self._before_what_is_due(running) or newest
        return start, Snapshot(start, conversation, messages, replies)

    async def event_from(self, entry_id: str, entry: StreamEntry) -> ConversationEvent | None:
        """What the entry says, with the rows that it names; one whose message is gone says nothing."""
        match entry:
            case ReplyBegun() | PhaseReached() | TextWritten():
                return Came(entry_id, entry)
            case MessagePosted():
                message = await in_database(self._message, entry.message_id)
                return None if message is None else Posted(entry_id, message)
            case AnswerStored():
                message = await in_database(self._message, entry.message_id)
                return None if message is None else Answered(entry_id, entry.reply, entry.attempt, message)
            case ReplyFailed():
                return Failed(entry_id, entry.reply, None, entry.code)
            case StatusChanged():
                return StatusNow(entry_id, await in_database(self._conversation))
        return None

    async def look(self) -> None:
        """No row says more than the stream does."""

    async def _before_what_is_due(self, running: set[UUID]) -> str | None:
        """Before the first entry of a reply in flight, or the last one of the reply that was asked for."""
        if not running and self.asked is None:
            return None
        before = START
        for received in await hub().entries(self.stream, START):
            entry = from_plain(received.data)
            reply, is_end = getattr(entry, "reply", None), isinstance(entry, AnswerStored | ReplyFailed)
            if reply in running or (is_end and reply == self.asked):
                return before
            before = received.id
        return before if running else None

    def _read(self) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
        with tenant_atomic(self.tenant_id):
            replies = replies_in_flight(self.conversation_id)
            conversation = describe_conversation(conversation_by_id(self.conversation_id))
            messages = [describe_message(message) for message in transcript(self.conversation_id)]
            return conversation, messages, describe_replies(replies)

    def _conversation(self) -> dict[str, Any]:
        with tenant_atomic(self.tenant_id):
            return describe_conversation(conversation_by_id(self.conversation_id))

    def _message(self, message_id: UUID) -> dict[str, Any] | None:
        with tenant_atomic(self.tenant_id):
            message = _messages().filter(id=message_id, conversation_id=self.conversation_id).first()
            return None if message is None else describe_message(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedInbox:
    """Which of a tenant's conversations change, from now on."""

    ends: ClassVar[bool] = False

    tenant_id: UUID

    @property
    def stream(self) -> str:
        return inbox_stream(self.tenant_id)

    async def begin(self, cursor: str | None, *, is_anew: bool) -> tuple[str, InboxNews | None]:
        """At the end of the stream; when something may have been missed, all of the inbox is news."""
        return await hub().last_id(self.stream), InboxNews(None) if is_anew else None

    async def event_from(self, entry_id: str, entry: StreamEntry) -> InboxNews | None:
        """The conversation that changed."""
        return InboxNews(entry.conversation) if isinstance(entry, InboxChanged) else None

    async def look(self) -> None:
        """No row says more than the stream does."""


def _messages() -> Any:
    return Message.objects.select_related("user", "answer_to", "conversation__assistant")

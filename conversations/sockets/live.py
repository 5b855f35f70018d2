"""A followed conversation or inbox on a socket: each event becomes one frame of the protocol."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from django.utils import translation

from conversations.entries import to_plain
from conversations.failures import sentence_for_customer
from conversations.follower_events import (
    Answered,
    Came,
    ConversationEvent,
    Failed,
    InboxNews,
    Posted,
    Quiet,
    Resumed,
    Snapshot,
    StatusNow,
)
from conversations.following import Target, follow
from helpdesk.tenants.models import Language

Event = TypeVar("Event")
Frame = dict[str, Any]


class Live(Generic[Event]):
    """Sends what happens to one target to one socket, in a task of its own."""

    def __init__(
        self,
        target: Target[Event],
        *,
        frame_of: Callable[[Event], Frame],
        send: Callable[[Frame], Awaitable[None]],
        after: str | None = None,
    ) -> None:
        self._target = target
        self._frame_of = frame_of
        self._send = send
        self._task = asyncio.get_running_loop().create_task(self._send_all(after))

    async def stop(self) -> None:
        """Stop following and wait until nothing is sent any more."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _send_all(self, after: str | None) -> None:
        async with contextlib.aclosing(follow(self._target, after=after)) as events:
            async for event in events:
                if not isinstance(event, Quiet):
                    await self._send(self._frame_of(event))


def conversation_frame(event: ConversationEvent, *, language: str) -> Frame:
    """The frame that customers and agents get of a conversation's event; sentences are in the customer's language."""
    said: Frame
    match event:
        case Snapshot():
            rows = {"conversation": event.conversation, "messages": event.messages, "replies": event.replies}
            return {"type": "ready", "cursor": event.cursor, **rows}
        case Resumed():
            return {"type": "resumed", "cursor": event.cursor}
        case Posted():
            said = {"type": "message", "message": event.message}
        case StatusNow():
            said = {"type": "status", "conversation": event.conversation}
        case Came():
            said = to_plain(event.entry)
        case Answered():
            said = {"type": "done", "reply": str(event.reply), "attempt": event.attempt, "message": event.answer}
        case Failed():
            with translation.override("zh-hans" if language == Language.CHINESE else "en"):
                sentence = sentence_for_customer(event.code)
            said = {"type": "failed", "reply": str(event.reply), "code": event.code, "message": sentence}
    return {"id": event.id, **said}


def inbox_frame(event: InboxNews) -> Frame:
    """The frame that says which row of the inbox to fetch again."""
    return {"type": "inbox", "conversation": str(event.conversation) if event.conversation else None}

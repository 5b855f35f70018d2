"""What customers' and agents' sockets share: a snapshot of the conversation, then its stream as protocol frames."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError
from django.utils import translation
from redis.exceptions import RedisError

from conversations.failures import sentence_for_customer
from conversations.models import Message
from conversations.queries import (
    conversation_by_id,
    describe_conversation,
    describe_message,
    describe_replies,
    replies_in_flight,
    transcript,
)
from helpdesk.errors import NotFound
from helpdesk.streams.entries import START, Entry, conversation_stream
from helpdesk.streams.hub import FellBehind, Resynchronise, hub
from helpdesk.tenants.off_loop import in_database
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5


class ConversationFollower:
    """Sends one conversation to one socket: `ready` or `resumed`, then every entry, across restarts of Redis."""

    def __init__(
        self, *, tenant_id: UUID, conversation_id: UUID, language: str, send: Callable[[dict[str, Any]], Any]
    ) -> None:
        self.tenant_id = tenant_id
        self.conversation_id = conversation_id
        self.language = language
        self._send = send
        self._task: asyncio.Task[None] | None = None

    def start(self, *, after: str | None = None) -> None:
        """Begin to follow in the background."""
        self._task = asyncio.get_running_loop().create_task(self._follow_forever(after))

    async def stop(self) -> None:
        """Stop following and wait until nothing is sent any more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _follow_forever(self, after: str | None) -> None:
        cursor = after
        while True:
            try:
                await self._follow(cursor)
            except (Resynchronise, FellBehind):
                cursor = None
            except NotFound:
                # The conversation was deleted: nothing will follow.
                return
            except (RedisError, OSError, DatabaseError, Message.DoesNotExist) as error:
                logger.warning("conversation_follow_retry", error=type(error).__name__)
                cursor = None
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, after: str | None) -> None:
        stream = conversation_stream(self.tenant_id, self.conversation_id)
        if after is not None and await hub().has_entry(stream, after):
            start = after
            await self._send({"type": "resumed", "cursor": after})
        else:
            start = await self._send_snapshot(stream)
        async with hub().follow(stream, after=start) as subscription:
            while True:
                await self._forward(await subscription.get())

    async def _send_snapshot(self, stream: str) -> str:
        """Send `ready` with the cursor to follow from: just before the first entry of replies still being written.

        A client that drops before it has all of their text resumes from there, so that it misses none of it.
        """
        newest = await hub().last_id(stream)
        snapshot = await in_database(self._read_snapshot)
        running = {reply["id"] for reply in snapshot["replies"]}
        cursor = await self._before_first_entry_of(running, stream) if running else newest
        await self._send({"type": "ready", "cursor": cursor, **snapshot})
        return cursor

    async def _before_first_entry_of(self, replies: set[str], stream: str) -> str:
        before = START
        for entry in await hub().entries(stream, START):
            if entry.data.get("reply") in replies:
                break
            before = entry.id
        return before

    def _read_snapshot(self) -> dict[str, Any]:
        with tenant_atomic(self.tenant_id):
            replies = replies_in_flight(self.conversation_id)
            return {
                "conversation": describe_conversation(conversation_by_id(self.conversation_id)),
                "messages": [describe_message(message) for message in transcript(self.conversation_id)],
                "replies": describe_replies(replies),
            }

    async def _forward(self, entry: Entry) -> None:
        data = dict(entry.data)
        match data["type"]:
            case "message" | "done":
                message_id = data.pop("message_id")
                data["message"] = await in_database(self._read_message, UUID(message_id))
            case "status":
                data["conversation"] = await in_database(self._read_conversation)
            case "failed":
                with translation.override("zh-hans" if self.language == "zh" else "en"):
                    data["message"] = sentence_for_customer(data["code"])
        await self._send({"id": entry.id, **data})

    def _read_message(self, message_id: UUID) -> dict[str, Any]:
        with tenant_atomic(self.tenant_id):
            rows = Message.objects.select_related("user", "answer_to", "conversation__assistant")
            return describe_message(rows.get(id=message_id, conversation_id=self.conversation_id))

    def _read_conversation(self) -> dict[str, Any]:
        with tenant_atomic(self.tenant_id):
            return describe_conversation(conversation_by_id(self.conversation_id))

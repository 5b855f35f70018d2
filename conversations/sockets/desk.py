"""The desk's socket: what changed in the inbox and, on a conversation's page, that conversation live."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any
from uuid import UUID

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from redis.exceptions import RedisError

from conversations.queries import conversation_by_id
from conversations.sockets.following import RETRY_SECONDS, ConversationFollower, in_database
from conversations.sockets.frames import parse_frame
from helpdesk.errors import Forbidden, GlassdeskError, NotFound
from helpdesk.permissions import Right
from helpdesk.streams.entries import inbox_stream
from helpdesk.streams.hub import FellBehind, Resynchronise, hub
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.access import authorise

logger = structlog.get_logger(__name__)

CLOSE_NOT_SIGNED_IN = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_NOT_FOUND = 4404


class DeskConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One tab of one agent; read-only, since people write through forms."""

    inbox_task: asyncio.Task[None] | None = None
    follower: ConversationFollower | None = None

    async def connect(self) -> None:
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(CLOSE_NOT_SIGNED_IN)
            return
        try:
            tenant_id = await in_database(self._authorise)
        except NotFound:
            await self.close(CLOSE_NOT_FOUND)
            return
        except Forbidden:
            await self.close(CLOSE_FORBIDDEN)
            return
        except DatabaseError:
            await self.close(1013)
            return
        self.inbox_task = asyncio.get_running_loop().create_task(self._follow_inbox(tenant_id))
        conversation_id = self.scope["url_route"]["kwargs"].get("conversation_id")
        if conversation_id is not None:
            self.follower = ConversationFollower(
                tenant_id=tenant_id, conversation_id=conversation_id, language="en", send=self._send
            )
            self.follower.start()

    def _authorise(self) -> UUID:
        arguments = self.scope["url_route"]["kwargs"]
        membership = authorise(self.scope["user"], arguments["tenant_slug"], Right.SEE_CONVERSATIONS)
        if "conversation_id" in arguments:
            with tenant_atomic(membership.tenant.id):
                conversation_by_id(arguments["conversation_id"])
        return membership.tenant.id

    async def disconnect(self, code: int) -> None:
        if self.follower is not None:
            await self.follower.stop()
        if self.inbox_task is not None:
            self.inbox_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.inbox_task

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            frame = parse_frame(text_data, bytes_data)
        except GlassdeskError as error:
            await self._send({"type": "error", **error.as_dict()})
            return
        if frame["type"] == "ping":
            await self._send({"type": "pong"})

    async def _follow_inbox(self, tenant_id: UUID) -> None:
        stream = inbox_stream(tenant_id)
        while True:
            try:
                async with hub().follow(stream, after=await hub().last_id(stream)) as subscription:
                    while True:
                        await self._send((await subscription.get()).data)
            except (Resynchronise, FellBehind):
                await self._send({"type": "inbox", "conversation": None})
            except (RedisError, OSError) as error:
                logger.warning("inbox_follow_retry", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(frame, ensure_ascii=False))

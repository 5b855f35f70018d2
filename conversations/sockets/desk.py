"""The desk's socket: what changed in the inbox and, on a conversation's page, that conversation live."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from uuid import UUID

import structlog
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from conversations.queries import conversation_by_id
from conversations.sockets.consumer import FrameConsumer
from conversations.sockets.following import RETRY_SECONDS, ConversationFollower
from helpdesk.errors import InvalidInput, NotSignedIn
from helpdesk.permissions import Right
from helpdesk.streams.entries import inbox_stream
from helpdesk.streams.hub import FellBehind, Resynchronise, hub
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.access import authorise
from helpdesk.users.models import Membership

logger = structlog.get_logger(__name__)

SOCKETS_PER_PERSON = 40


class DeskConsumer(FrameConsumer):
    """One tab of one agent; read-only, since people write through forms."""

    inbox_task: asyncio.Task[None] | None = None
    follower: ConversationFollower | None = None

    async def connect(self) -> None:
        membership = await self.admit(self._authorise)
        if membership is None or not await self.take_place(membership.id, most=SOCKETS_PER_PERSON):
            return
        tenant_id = membership.tenant.id
        self.inbox_task = asyncio.get_running_loop().create_task(self._follow_inbox(tenant_id))
        conversation_id = self.scope["url_route"]["kwargs"].get("conversation_id")
        if conversation_id is not None:
            self.follower = ConversationFollower(
                tenant_id=tenant_id, conversation_id=conversation_id, language="en", send=self.send_frame
            )
            self.follower.start()

    def _authorise(self) -> Membership:
        if not self.scope["user"].is_authenticated:
            raise NotSignedIn
        arguments = self.scope["url_route"]["kwargs"]
        membership = authorise(self.scope["user"], arguments["tenant_slug"], Right.SEE_CONVERSATIONS)
        if "conversation_id" in arguments:
            with tenant_atomic(membership.tenant.id):
                conversation_by_id(arguments["conversation_id"])
        return membership

    async def leave(self) -> None:
        await super().leave()
        if self.follower is not None:
            await self.follower.stop()
        if self.inbox_task is not None:
            self.inbox_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.inbox_task

    async def on_frame(self, frame: dict[str, Any]) -> None:
        if frame["type"] != "ping":
            raise InvalidInput(_("This type of frame is not known."))
        await self.send_frame({"type": "pong"})

    async def _follow_inbox(self, tenant_id: UUID) -> None:
        stream = inbox_stream(tenant_id)
        while True:
            try:
                async with hub().follow(stream, after=await hub().last_id(stream)) as subscription:
                    while True:
                        await self.send_frame((await subscription.get()).data)
            except (Resynchronise, FellBehind):
                await self.send_frame({"type": "inbox", "conversation": None})
            except (RedisError, OSError) as error:
                logger.warning("inbox_follow_retry", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

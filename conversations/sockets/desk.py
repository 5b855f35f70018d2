"""The desk's socket: what changed in the inbox and, on a conversation's page, that conversation live."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError
from django.utils.translation import gettext as _

from conversations.followed import FollowedConversation, FollowedInbox
from conversations.follower_events import ConversationEvent, InboxNews
from conversations.queries import conversation_by_id
from conversations.sockets.consumer import FrameConsumer
from conversations.sockets.live import Live, conversation_frame, inbox_frame
from conversations.staffing.presence import RENEW_SECONDS, stay
from helpdesk.errors import InvalidInput, NotSignedIn
from helpdesk.permissions import Right, has_right
from helpdesk.tenants.models import Language
from helpdesk.tenants.off_loop import in_database
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.access import authorise
from helpdesk.users.models import Membership
from helpdesk.users.sessions import user_of_session

SOCKETS_PER_PERSON = 40

logger = structlog.get_logger(__name__)


class DeskConsumer(FrameConsumer):
    """One tab of one agent; read-only, since people write through forms."""

    presence: asyncio.Task[None] | None = None
    inbox: Live[InboxNews] | None = None
    conversation: Live[ConversationEvent] | None = None

    async def connect(self) -> None:
        membership = await self.admit(self._authorise)
        if membership is None or not await self.take_slot(membership.id, most=SOCKETS_PER_PERSON):
            return
        self.scope["role"] = membership.role
        tenant_id = membership.tenant.id
        if has_right(membership.role, Right.REPLY):
            self.presence = asyncio.create_task(_stay(tenant_id, membership.user_id))
        self.inbox = Live(FollowedInbox(tenant_id=tenant_id), frame_of=inbox_frame, send=self.send_frame)
        conversation_id = self.scope["url_route"]["kwargs"].get("conversation_id")
        if conversation_id is not None:
            self.conversation = Live(
                FollowedConversation(tenant_id=tenant_id, conversation_id=conversation_id),
                frame_of=partial(conversation_frame, language=Language.ENGLISH),
                send=self.send_frame,
            )

    def _authorise(self) -> Membership:
        if not self.scope["user"].is_authenticated:
            raise NotSignedIn
        arguments = self.scope["url_route"]["kwargs"]
        person = user_of_session(self.scope["session"].session_key)
        membership = authorise(person, arguments["tenant_slug"], Right.SEE_CONVERSATIONS)
        if "conversation_id" in arguments:
            with tenant_atomic(membership.tenant.id):
                conversation_by_id(arguments["conversation_id"])
        return membership

    async def leave(self) -> None:
        await super().leave()
        if self.presence is not None:
            self.presence.cancel()
        for live in (self.conversation, self.inbox):
            if live is not None:
                await live.stop()

    async def on_frame(self, frame: dict[str, Any]) -> None:
        if frame["type"] != "ping":
            raise InvalidInput(_("Unknown frame type."))
        await self.send_frame({"type": "pong"})


async def _stay(tenant_id: UUID, user_id: int) -> None:
    """Says that the person is there, for as long as the socket is open."""
    while True:
        try:
            await in_database(stay, tenant_id=tenant_id, user_id=user_id)
        except DatabaseError as error:
            logger.warning("presence_not_noted", user_id=user_id, error=type(error).__name__)
        await asyncio.sleep(RENEW_SECONDS)

"""The customer's socket (docs/protocol.md). Who and where come from the token, never from a frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _

from conversations import domain
from conversations.followed import FollowedConversation
from conversations.follower_events import ConversationEvent
from conversations.identity.identities import visitor_of_token
from conversations.identity.tickets import SOCKET_WITHIN, check_ticket
from conversations.identity.visitors import VisitorIdentity
from conversations.inbound import from_visitor
from conversations.intake import ask_for_person, receive
from conversations.queries import current_conversation, describe_message
from conversations.replies import stop_reply
from conversations.sockets.consumer import FrameConsumer
from conversations.sockets.frames import cursor_of, frame_uuid
from conversations.sockets.live import Live, conversation_frame
from conversations.surveys import asked_conversation
from conversations.throttles import check_message_rate
from conversations.validation import clean_context
from helpdesk.errors import GlassdeskError, InvalidInput, NotFound, NotSignedIn, Unavailable
from helpdesk.streams.entries import START
from helpdesk.tenants.models import Language
from helpdesk.tenants.off_loop import in_database
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.web.sockets import agreed_subprotocol

logger = structlog.get_logger(__name__)

TOKEN_PREFIX = "visitor."  # noqa: S105
TICKET_PREFIX = "origin."
SOCKETS_PER_VISITOR = 8


class WidgetConsumer(FrameConsumer):
    """One browser tab of one customer."""

    visitor: VisitorIdentity | None = None
    live: Live[ConversationEvent] | None = None
    conversation_id: UUID | None = None
    language: str = Language.ENGLISH

    async def connect(self) -> None:
        query = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
        self.language = Language.CHINESE if query.get("language", [""])[0].startswith("zh") else Language.ENGLISH
        identity = await self.admit(self._identify)
        if identity is None or not await self.take_slot(identity.visitor_id, most=SOCKETS_PER_VISITOR):
            return
        self.visitor = identity
        await self._follow(identity, after=cursor_of(query.get("after", [""])[0]))

    def _identify(self) -> VisitorIdentity:
        tenant = tenant_by_slug(self.scope["url_route"]["kwargs"]["tenant_slug"])
        token = self._offered(TOKEN_PREFIX)
        if not token or agreed_subprotocol(self.scope) is None:
            raise NotSignedIn
        identity = visitor_of_token(token, tenant_id=tenant.id)
        check_ticket(self._offered(TICKET_PREFIX), tenant=tenant, within=SOCKET_WITHIN)
        return identity

    def _offered(self, prefix: str) -> str:
        """What the client sent beside the version; nothing of it stands in an address or a log."""
        return next((name.removeprefix(prefix) for name in self.scope["subprotocols"] if name.startswith(prefix)), "")

    async def leave(self) -> None:
        await super().leave()
        self.visitor = None
        await self._stop_following()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        with translation.override("zh-hans" if self.language == Language.CHINESE else "en"):
            await super().receive(text_data, bytes_data)

    async def on_frame(self, frame: dict[str, Any]) -> None:
        visitor = self.visitor
        if visitor is None:
            return
        handle = self._handler(frame["type"])
        client_id = frame_uuid(frame, "client_id") if frame["type"] == "message" else None
        try:
            await handle(visitor, frame)
        except InvalidInput as error:
            if client_id is None:
                raise
            # The text is at fault, not the client.
            await self.refuse(error, client_id)
        except GlassdeskError as error:
            await self.refuse(error, client_id)
        except DatabaseError:
            logger.warning("socket_database_away", visitor_id=str(visitor.visitor_id))
            await self.refuse(Unavailable(), client_id)

    def _handler(self, kind: str) -> Callable[[VisitorIdentity, dict[str, Any]], Awaitable[None]]:
        handlers = {
            "message": self._on_message,
            "stop": self._on_stop,
            "person": self._on_person,
            "ai": self._on_ai,
            "email": self._on_email,
            "new": self._on_new,
            "solved": self._on_solved,
            "context": self._on_context,
            "ping": self._on_ping,
        }
        if kind not in handlers:
            raise InvalidInput(_("Unknown frame type."))
        return handlers[kind]

    async def _on_message(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        client_id = frame_uuid(frame, "client_id")
        await in_database(check_message_rate, visitor.visitor_id)
        inbound = from_visitor(
            tenant_id=visitor.tenant_id,
            visitor_id=visitor.visitor_id,
            client_id=client_id,
            body=frame.get("body"),
            language=self.language,
        )
        posted = await in_database(receive, inbound)
        # The stream brings the message too, but may be away just now; clients tell the two apart by the message's id.
        await self.send_frame(
            {"type": "message", "message": await in_database(self._describe, visitor, posted.message)}
        )
        if self.conversation_id != posted.conversation.id:
            await self._follow(visitor, after=None, asked=posted.reply.id if posted.reply else None)

    def _describe(self, visitor: VisitorIdentity, message: Any) -> dict[str, Any]:
        with tenant_atomic(visitor.tenant_id):
            return describe_message(message)

    async def _on_stop(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        if self.conversation_id is None:
            raise NotFound
        await in_database(
            stop_reply,
            tenant_id=visitor.tenant_id,
            conversation_id=self.conversation_id,
            reply_id=frame_uuid(frame, "reply"),
        )

    async def _on_person(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        conversation = await in_database(
            ask_for_person, tenant_id=visitor.tenant_id, visitor_id=visitor.visitor_id, language=self.language
        )
        if self.conversation_id != conversation.id:
            await self._follow(visitor, after=None)

    async def _on_ai(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        if self.conversation_id is None:
            raise NotFound
        await in_database(
            domain.cancel_wait,
            tenant_id=visitor.tenant_id,
            conversation_id=self.conversation_id,
            visitor_id=visitor.visitor_id,
        )

    async def _on_email(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        address = frame.get("address")
        if self.conversation_id is None or not isinstance(address, str):
            raise NotFound
        await in_database(check_message_rate, visitor.visitor_id)
        try:
            await in_database(
                domain.leave_email,
                tenant_id=visitor.tenant_id,
                conversation_id=self.conversation_id,
                visitor_id=visitor.visitor_id,
                address=address,
            )
        except InvalidInput:
            # The customer mistyped, which is no fault of the client's; their words come back in no frame.
            await self.refuse(InvalidInput(_("Enter a valid e-mail address, such as name@example.com.")))

    async def _on_new(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        if self.conversation_id is not None:
            await in_database(
                domain.leave_conversation,
                tenant_id=visitor.tenant_id,
                conversation_id=self.conversation_id,
                visitor_id=visitor.visitor_id,
            )
        await self._follow(visitor, after=None)

    async def _on_solved(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        if self.conversation_id is None:
            raise NotFound
        await in_database(
            domain.say_solved,
            tenant_id=visitor.tenant_id,
            conversation_id=self.conversation_id,
            visitor_id=visitor.visitor_id,
        )

    async def _on_context(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        await in_database(
            domain.set_context, visitor.tenant_id, visitor.visitor_id, clean_context(frame.get("context"))
        )

    async def _on_ping(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        await self.send_frame({"type": "pong"})

    async def _follow(self, visitor: VisitorIdentity, *, after: str | None, asked: UUID | None = None) -> None:
        """Follow the visitor's open conversation, or the one that they are asked about; else the client gets an empty `ready`."""
        await self._stop_following()
        conversation_id = await in_database(self._current_conversation_id, visitor)
        if conversation_id is None:
            await self.send_frame(
                {"type": "ready", "conversation": None, "messages": [], "replies": [], "cursor": START}
            )
            return
        self.conversation_id = conversation_id
        self.live = Live(
            FollowedConversation(tenant_id=visitor.tenant_id, conversation_id=conversation_id, asked=asked),
            frame_of=partial(conversation_frame, language=self.language),
            send=self.send_frame,
            after=after,
        )

    async def _stop_following(self) -> None:
        live, self.live, self.conversation_id = self.live, None, None
        if live is not None:
            await live.stop()

    def _current_conversation_id(self, visitor: VisitorIdentity) -> UUID | None:
        with tenant_atomic(visitor.tenant_id):
            # One that has just ended is shown until the customer has said how it went, or would rather not.
            conversation = current_conversation(visitor.visitor_id) or asked_conversation(visitor.visitor_id)
            return conversation.id if conversation else None

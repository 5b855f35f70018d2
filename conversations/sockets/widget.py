"""The customer's socket (docs/protocol.md). Who and where come from the token, never from a frame."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _

from conversations import domain
from conversations.queries import current_conversation, describe_message
from conversations.sockets.following import ConversationFollower, in_database
from conversations.sockets.frames import frame_uuid, parse_frame
from conversations.throttles import check_message_rate
from conversations.visitors import VisitorIdentity, read_token
from helpdesk.errors import GlassdeskError, InvalidInput, NotFound, NotSignedIn, Unavailable
from helpdesk.streams.entries import START, order
from helpdesk.tenants.models import Language
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)

SUBPROTOCOL = "glassdesk.v1"
TOKEN_PREFIX = "visitor."  # noqa: S105
SOCKETS_PER_VISITOR = 8
MALFORMED_LIMIT = 3

CLOSE_MALFORMED = 4400
CLOSE_NOT_SIGNED_IN = 4401
CLOSE_NOT_FOUND = 4404
CLOSE_TOO_MANY = 4429


class WidgetConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser tab of one customer."""

    open_sockets: ClassVar[dict[UUID, int]] = defaultdict(int)

    visitor: VisitorIdentity | None = None
    follower: ConversationFollower | None = None
    malformed = 0
    language: str = Language.ENGLISH

    async def connect(self) -> None:
        await self.accept(subprotocol=SUBPROTOCOL)
        query = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
        self.language = Language.CHINESE if query.get("language", [""])[0].startswith("zh") else Language.ENGLISH
        try:
            identity = await in_database(self._identify)
        except NotFound:
            await self.close(CLOSE_NOT_FOUND)
            return
        except NotSignedIn:
            await self.close(CLOSE_NOT_SIGNED_IN)
            return
        except DatabaseError:
            await self.close(1013)
            return
        if self.open_sockets[identity.visitor_id] >= SOCKETS_PER_VISITOR:
            await self.close(CLOSE_TOO_MANY)
            return
        self.open_sockets[identity.visitor_id] += 1
        self.visitor = identity
        await self._follow(identity, after=_cursor(query.get("after", [""])[0]))

    def _identify(self) -> VisitorIdentity:
        tenant = tenant_by_slug(self.scope["url_route"]["kwargs"]["tenant_slug"])
        offered = [name for name in self.scope["subprotocols"] if name.startswith(TOKEN_PREFIX)]
        if not offered:
            raise NotSignedIn
        return read_token(offered[0].removeprefix(TOKEN_PREFIX), tenant_id=tenant.id)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket; its place among the visitor's sockets is given back however it ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._leave()

    async def disconnect(self, code: int) -> None:
        await self._leave()

    async def _leave(self) -> None:
        follower, self.follower = self.follower, None
        visitor, self.visitor = self.visitor, None
        if visitor is not None:
            self.open_sockets[visitor.visitor_id] -= 1
            if self.open_sockets[visitor.visitor_id] <= 0:
                del self.open_sockets[visitor.visitor_id]
        if follower is not None:
            await follower.stop()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.visitor is None:
            return
        client_id: object = None
        with translation.override("zh-hans" if self.language == Language.CHINESE else "en"):
            try:
                frame = parse_frame(text_data, bytes_data)
                client_id = frame.get("client_id")
                await self._handler(frame["type"])(self.visitor, frame)
                self.malformed = 0
            except GlassdeskError as error:
                await self._refuse(error, client_id)
            except DatabaseError:
                logger.warning("socket_database_away", visitor_id=str(self.visitor.visitor_id))
                await self._refuse(Unavailable(), client_id)

    async def _refuse(self, error: GlassdeskError, client_id: object) -> None:
        await self._send({"type": "error", **error.as_dict(), "client_id": client_id})
        if isinstance(error, InvalidInput) and client_id is None:
            self.malformed += 1
            if self.malformed >= MALFORMED_LIMIT:
                await self.close(CLOSE_MALFORMED)

    def _handler(self, kind: str) -> Callable[[VisitorIdentity, dict[str, Any]], Awaitable[None]]:
        handlers = {
            "message": self._on_message,
            "stop": self._on_stop,
            "person": self._on_person,
            "new": self._on_new,
            "ping": self._on_ping,
        }
        if kind not in handlers:
            raise InvalidInput(_("This type of frame is not known."))
        return handlers[kind]

    async def _on_message(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        client_id = frame_uuid(frame, "client_id")
        await in_database(check_message_rate, visitor.visitor_id)
        posted = await in_database(
            domain.post_customer_message,
            tenant_id=visitor.tenant_id,
            visitor_id=visitor.visitor_id,
            client_id=client_id,
            body=frame.get("body"),
            language=self.language,
        )
        # The stream brings the message too, but may be away just now; clients tell the two apart by the message's id.
        await self._send({"type": "message", "message": await in_database(self._describe, visitor, posted.message)})
        if self.follower is None or self.follower.conversation_id != posted.conversation.id:
            await self._follow(visitor, after=None)

    def _describe(self, visitor: VisitorIdentity, message: Any) -> dict[str, Any]:
        with tenant_atomic(visitor.tenant_id):
            return describe_message(message)

    async def _on_stop(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        if self.follower is None:
            raise NotFound
        await in_database(
            domain.stop_reply,
            tenant_id=visitor.tenant_id,
            conversation_id=self.follower.conversation_id,
            reply_id=frame_uuid(frame, "reply"),
        )

    async def _on_person(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        await in_database(
            domain.ask_for_person, tenant_id=visitor.tenant_id, visitor_id=visitor.visitor_id, language=self.language
        )
        if self.follower is None:
            await self._follow(visitor, after=None)

    async def _on_new(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        if self.follower is not None:
            await in_database(
                domain.close_conversation, tenant_id=visitor.tenant_id, conversation_id=self.follower.conversation_id
            )
        await self._follow(visitor, after=None)

    async def _on_ping(self, visitor: VisitorIdentity, frame: dict[str, Any]) -> None:
        await self._send({"type": "pong"})

    async def _follow(self, visitor: VisitorIdentity, *, after: str | None) -> None:
        """Follow the visitor's open conversation; without one the client gets an empty `ready`."""
        if self.follower is not None:
            await self.follower.stop()
            self.follower = None
        conversation_id = await in_database(self._current_conversation_id, visitor)
        if conversation_id is None:
            await self._send({"type": "ready", "conversation": None, "messages": [], "replies": [], "cursor": START})
            return
        self.follower = ConversationFollower(
            tenant_id=visitor.tenant_id, conversation_id=conversation_id, language=self.language, send=self._send
        )
        self.follower.start(after=after)

    def _current_conversation_id(self, visitor: VisitorIdentity) -> UUID | None:
        with tenant_atomic(visitor.tenant_id):
            conversation = current_conversation(visitor.visitor_id)
            return conversation.id if conversation else None

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(frame, ensure_ascii=False))


def _cursor(raw: str) -> str | None:
    try:
        order(raw)
    except ValueError:
        return None
    return raw

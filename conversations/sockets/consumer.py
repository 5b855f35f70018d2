"""What customers' and agents' sockets share: admission, the number of sockets, and frames that cannot be understood."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from conversations.errors import TicketExpired
from conversations.sockets.frames import parse_frame
from helpdesk.errors import GlassdeskError, InvalidInput
from helpdesk.tenants.off_loop import in_database
from helpdesk.web.sockets import REFUSALS, Close, agreed_subprotocol

MALFORMED_LIMIT = 3
CODES: dict[type[Exception], Close] = REFUSALS | {
    TicketExpired: Close.TICKET_EXPIRED,
    DatabaseError: Close.UNAVAILABLE,
}

Admitted = TypeVar("Admitted")


class FrameConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One socket. Its slot among its holder's is given back however it ends."""

    # Of this process, by visitor or person.
    slots: Counter[UUID] = Counter()

    holder: UUID | None = None
    malformed = 0

    async def end(self, code: Close) -> None:
        """Close with a reason; the server takes plain numbers only."""
        await self.close(int(code))

    async def admit(self, identify: Callable[[], Admitted]) -> Admitted | None:
        """Accept the socket; who it is, or None when it was closed with the reason."""
        await self.accept(subprotocol=agreed_subprotocol(self.scope))
        try:
            return await in_database(identify)
        except tuple(CODES) as error:
            await self.end(next(code for kind, code in CODES.items() if isinstance(error, kind)))
            return None

    async def take_slot(self, holder: UUID, *, most: int) -> bool:
        """Count this socket; closes it when the holder has too many."""
        if self.slots[holder] >= most:
            await self.end(Close.TOO_MANY)
            return False
        self.slots[holder] += 1
        self.holder = holder
        return True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.leave()

    async def disconnect(self, code: int) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Give the slot back; twice is once."""
        holder, self.holder = self.holder, None
        if holder is not None:
            self.slots[holder] -= 1
            if self.slots[holder] <= 0:
                del self.slots[holder]

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Read a frame. Nothing of one that cannot be understood is looked at, kept or sent back."""
        if self.holder is None:
            return
        try:
            frame = parse_frame(text_data, bytes_data)
            await self.on_frame(frame)
        except InvalidInput as error:
            await self.refuse(error)
            self.malformed += 1
            if self.malformed >= MALFORMED_LIMIT:
                await self.end(Close.MALFORMED)
        else:
            self.malformed = 0

    async def on_frame(self, frame: dict[str, Any]) -> None:
        """Act on a frame; raises InvalidInput for one that asks for nothing."""
        raise NotImplementedError

    async def refuse(self, error: GlassdeskError, client_id: UUID | None = None) -> None:
        """Say why a frame changed nothing."""
        await self.send_frame({"type": "error", **error.as_dict(), "client_id": str(client_id) if client_id else None})

    async def send_frame(self, frame: dict[str, Any]) -> None:
        """Send a frame of the protocol."""
        await self.send(text_data=json.dumps(frame, ensure_ascii=False))

"""What every websocket shares: the subprotocol, the codes it is closed with, and closing so that the client can tell why."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from helpdesk.errors import Forbidden, NotFound, NotSignedIn

SUBPROTOCOL = "glassdesk.v1"


class Close(IntEnum):
    """Why the server closes a socket (docs/protocol.md)."""

    UNAVAILABLE = 1013
    MALFORMED = 4400
    NOT_SIGNED_IN = 4401
    FORBIDDEN = 4403
    NOT_FOUND = 4404
    TOO_SLOW = 4408
    ROLE_CHANGED = 4409
    TICKET_EXPIRED = 4428
    TOO_MANY = 4429


# Who may not open a socket, or keep it.
REFUSALS: dict[type[Exception], Close] = {
    NotSignedIn: Close.NOT_SIGNED_IN,
    Forbidden: Close.FORBIDDEN,
    NotFound: Close.NOT_FOUND,
}


def agreed_subprotocol(scope: dict[str, Any]) -> str | None:
    """Ours when the client offers it. One that it did not offer must not be named, and a browser that offered some wants one."""
    return SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None


async def accept_and_close(scope: dict[str, Any], receive: Any, send: Any, code: Close) -> None:
    """Browsers tell a page the code of a socket that was open; of a refused handshake they tell nothing."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": agreed_subprotocol(scope)})
    await send({"type": "websocket.close", "code": int(code)})


async def unknown_path(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The application behind every path that is nobody's."""
    await accept_and_close(scope, receive, send, Close.NOT_FOUND)

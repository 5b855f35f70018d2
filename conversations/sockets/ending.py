"""A desk's socket ends with what let it in: the session, the account or the membership."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from django.db import DatabaseError

from helpdesk.permissions import Right
from helpdesk.tenants.off_loop import in_database
from helpdesk.users.access import authorise
from helpdesk.users.sessions import user_of_session
from helpdesk.web.sockets import REFUSALS

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

LOOK_AGAIN_SECONDS = 30.0


class EndsWithSession:
    """ASGI middleware: looks again every half a minute, and closes with the code that a new socket would get."""

    def __init__(self, application: Callable[[Any, Receive, Send], Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        watch = asyncio.create_task(_until_it_may_not(scope))

        async def receive_or_end() -> dict[str, Any]:
            message = asyncio.ensure_future(receive())
            try:
                await asyncio.wait({message, watch}, return_when=asyncio.FIRST_COMPLETED)
                if message.done():
                    return message.result()
            finally:
                message.cancel()
            await send({"type": "websocket.close", "code": watch.result()})
            return {"type": "websocket.disconnect", "code": watch.result()}

        try:
            await self.application(scope, receive_or_end, send)
        finally:
            watch.cancel()


async def _until_it_may_not(scope: dict[str, Any]) -> int:
    """Waits while the socket may stay open; the code to close it with."""
    session_key = scope["session"].session_key
    while True:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        try:
            await in_database(_check, session_key, scope["url_route"]["kwargs"]["tenant_slug"])
        except tuple(REFUSALS) as error:
            return int(REFUSALS[type(error)])
        except DatabaseError:
            continue


def _check(session_key: str | None, slug: str) -> None:
    authorise(user_of_session(session_key), slug, Right.SEE_CONVERSATIONS)

"""A desk's socket ends with what let it in: the session, the account or the membership."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from django.db import DatabaseError
from redis.exceptions import RedisError

from helpdesk.permissions import Right
from helpdesk.streams.entries import access_stream
from helpdesk.streams.hub import FellBehind, Resynchronise, Subscription, hub
from helpdesk.tenants.off_loop import in_database
from helpdesk.users.access import authorise
from helpdesk.users.sessions import user_of_session
from helpdesk.web.sockets import REFUSALS, Close

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

LOOK_AGAIN_SECONDS = 30.0


class EndsWithSession:
    """ASGI middleware: looks again when the person's access changes, and every half a minute; closes with the code that a new
    socket would get. The consumer leaves the role that it opened with in the scope."""

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
    while True:
        try:
            async with _news_of(scope["user"].pk) as news:
                while True:
                    await _pause_or(news)
                    if (code := await _look(scope)) is not None:
                        return code
        except (Resynchronise, FellBehind):
            pass
        except (RedisError, OSError):
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        if (code := await _look(scope)) is not None:
            return code


@contextlib.asynccontextmanager
async def _news_of(user_id: int | None) -> AsyncIterator[Subscription | None]:
    """What is said about the person's access from now on; nothing about nobody."""
    if user_id is None:
        yield None
        return
    stream = access_stream(user_id)
    async with hub().follow(stream, after=await hub().last_id(stream)) as news:
        yield news


async def _pause_or(news: Subscription | None) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LOOK_AGAIN_SECONDS):
            await (news.get() if news else asyncio.Event().wait())


async def _look(scope: dict[str, Any]) -> int | None:
    """The code to close the socket with; None while it may stay."""
    try:
        role = await in_database(_check, scope["session"].session_key, scope["url_route"]["kwargs"]["tenant_slug"])
    except tuple(REFUSALS) as error:
        return int(next(code for kind, code in REFUSALS.items() if isinstance(error, kind)))
    except DatabaseError:
        return None
    # The page shows what the role before allowed: it has to be fetched anew.
    return int(Close.ROLE_CHANGED) if scope.get("role") not in (None, role) else None


def _check(session_key: str | None, slug: str) -> str:
    """The role now."""
    return authorise(user_of_session(session_key), slug, Right.SEE_CONVERSATIONS).role

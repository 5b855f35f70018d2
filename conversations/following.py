"""The one reader of streams: follows a reply, a conversation or an inbox across everything that may go away meanwhile.

The rows are the truth, the stream says early what will be found in them. Nothing here holds a thread or a database connection
while it waits. Callers render what they are told and end by closing the generator, or with their task.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator
from typing import ClassVar, Generic, Protocol, TypeVar

import structlog
from django.db import DatabaseError
from redis.exceptions import RedisError

from conversations.entries import StreamEntry, from_plain
from conversations.follower_events import Answered, Failed, Quiet
from helpdesk.errors import NotFound
from helpdesk.streams.entries import Entry
from helpdesk.streams.hub import FellBehind, Resynchronise, Subscription, hub
from helpdesk.tenants.off_loop import give_back_request_thread

logger = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5
# The row is read once nothing waits in the stream: of a reply that ended long ago nothing else is left.
FIRST_LOOK_SECONDS = 0.05
# Later it is read so often while the stream says nothing, since the entry of its end may have been lost.
LOOK_SECONDS = 5.0

Event = TypeVar("Event")
Event_co = TypeVar("Event_co", covariant=True)


class Target(Protocol[Event_co]):
    """What is followed. `ends`: its row tells how."""

    ends: ClassVar[bool]

    @property
    def stream(self) -> str:
        """Its stream's name."""

    async def begin(self, cursor: str | None, *, is_anew: bool) -> tuple[str, Event_co | None]:
        """Where to begin, and what to say first. `is_anew`: something may have been missed since the last entry."""

    async def told_by(self, entry_id: str, entry: StreamEntry) -> Event_co | None:
        """What an entry says; None for one that is about something else."""

    async def look(self) -> Event_co | None:
        """How it ended, from its row; None while it has not, or when it never ends."""


async def follow(
    target: Target[Event], *, after: str | None = None, until: float | None = None, heartbeat: float | None = None
) -> AsyncGenerator[Event | Quiet, None]:
    """What happens, from behind the entry `after` when the stream still holds it; of a reply up to its end.

    Ends without one at `until`, a time of the event loop; raises DatabaseError when only the database's absence is why. With
    `heartbeat`, Quiet comes after so many seconds of silence. A conversation that is deleted ends silently.
    """
    give_back_request_thread()
    reading = _Reading(target, cursor=after, pace=_Pace(until=until, heartbeat=heartbeat))
    while True:
        away: DatabaseError | None = None
        try:
            async with contextlib.aclosing(reading.events()) as events:
                async for event in events:
                    yield event
            return
        except (Resynchronise, FellBehind):
            pass
        except NotFound:
            if target.ends:
                raise
            return
        except (RedisError, OSError, DatabaseError) as error:
            logger.warning("follow_retry", target=type(target).__name__, error=type(error).__name__)
            away = error if isinstance(error, DatabaseError) else None
            await asyncio.sleep(RETRY_SECONDS)
        if (said := await reading.without_stream()) is not None:
            yield said
        if reading.has_ended:
            return
        if reading.pace.is_over():
            if away is not None:
                raise away
            return


class _Pace:
    """When to look at the row, to say that nothing comes, and to give up; in the event loop's time."""

    def __init__(self, *, until: float | None, heartbeat: float | None) -> None:
        self._now = asyncio.get_running_loop().time
        self._until = math.inf if until is None else until
        self._heartbeat = math.inf if heartbeat is None else heartbeat
        self._look_after = FIRST_LOOK_SECONDS
        self.heard()

    def heard(self) -> None:
        """Something was said: the silence begins anew."""
        now = self._now()
        self._look_at, self._beat_at = now + self._look_after, now + self._heartbeat

    def looked(self) -> None:
        """The row was read."""
        self._look_after = LOOK_SECONDS
        self._look_at = self._now() + LOOK_SECONDS

    def is_time_to_look(self) -> bool:
        return self._now() >= self._look_at

    def is_quiet(self) -> bool:
        return self._now() >= self._beat_at

    def is_over(self) -> bool:
        return self._now() >= self._until

    def patience(self, *, with_looks: bool) -> float | None:
        """Seconds for which nothing else is to be done."""
        next_at = min(self._beat_at, self._until, self._look_at if with_looks else math.inf)
        return None if next_at == math.inf else max(0.0, next_at - self._now())


class _Reading(Generic[Event]):
    """One target being read, over as many subscriptions as it takes."""

    def __init__(self, target: Target[Event], *, cursor: str | None, pace: _Pace) -> None:
        self.pace = pace
        self.has_ended = False
        self._target = target
        self._cursor = cursor
        self._is_anew = False

    async def events(self) -> AsyncGenerator[Event | Quiet, None]:
        """Of one subscription, until the end or until nobody waits any more."""
        target, self._is_anew, is_anew = self._target, True, self._is_anew
        start, greeting = await target.begin(self._cursor, is_anew=is_anew)
        if greeting is not None:
            yield greeting
        async with hub().follow(target.stream, after=start) as subscription:
            while not self.has_ended:
                received = await _next_entry(subscription, self.pace.patience(with_looks=target.ends))
                said: Event | Quiet | None
                if received is None:
                    is_over = self.pace.is_over()
                    said = await self._in_silence(must_look=is_over)
                    if said is None and is_over:
                        return
                else:
                    entry = from_plain(received.data)
                    said = None if entry is None else self._noted(await target.told_by(received.id, entry))
                    self._cursor = received.id
                if said is not None:
                    yield said

    async def without_stream(self) -> Event | Quiet | None:
        """What the row says, or that nothing came for a while; a database that is away as well says nothing."""
        with contextlib.suppress(DatabaseError):
            return await self._in_silence(must_look=True)
        return None

    async def _in_silence(self, *, must_look: bool) -> Event | Quiet | None:
        if self._target.ends and (must_look or self.pace.is_time_to_look()):
            ending = await self._target.look()
            self.pace.looked()
            if ending is not None:
                return self._noted(ending)
        if self.pace.is_quiet():
            self.pace.heard()
            return Quiet()
        return None

    def _noted(self, event: Event | None) -> Event | None:
        if event is not None:
            self.pace.heard()
            self.has_ended = self._target.ends and isinstance(event, Answered | Failed)
        return event


async def _next_entry(subscription: Subscription, patience: float | None) -> Entry | None:
    """The next entry; None when it is time for something else."""
    try:
        async with asyncio.timeout(patience):
            return await subscription.get()
    except TimeoutError:
        return None

"""One reader for all sockets of a process: follows every subscribed stream with a single blocking XREAD."""

from __future__ import annotations

import asyncio
import uuid
import weakref
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import redis.asyncio as aioredis
import structlog
from django.conf import settings
from redis.exceptions import RedisError

from helpdesk.streams.entries import ACCESS_SUFFIX, INBOX_SUFFIX, START, Entry, decode, encode, order

logger = structlog.get_logger(__name__)

BLOCK_MILLISECONDS = 15_000
QUEUE_LIMIT = 4000
# A fact that is published twice is so within seconds.
FACTS_REMEMBERED = 100


class FellBehind(Exception):
    """The subscriber's queue ran over; it must start again from its cursor."""


class Resynchronise(Exception):
    """Redis was away meanwhile: entries may be missing, so the subscriber must look at the database again."""


class Subscription:
    """One socket's view of one stream: every entry behind `after`, once and in order; of each fact the first entry."""

    def __init__(self, after: str) -> None:
        self.last = order(after)
        self._facts: deque[str] = deque(maxlen=FACTS_REMEMBERED)
        self._queue: asyncio.Queue[Entry | Exception] = asyncio.Queue()
        self._held: list[Entry] | None = []
        self._has_fallen_behind = False

    def push(self, entry: Entry) -> None:
        """Hand over a live entry; held back until the backlog is complete. Whoever does not read gets no more of them."""
        if self._held is not None:
            self._held.append(entry)
        elif self._has_fallen_behind:
            return
        elif self._queue.qsize() < QUEUE_LIMIT:
            self._add(entry)
        else:
            self._has_fallen_behind = True
            self._queue.put_nowait(FellBehind())

    def _add(self, entry: Entry) -> None:
        if order(entry.id) > self.last:
            self.last = order(entry.id)
            if not self._is_repeated(entry):
                self._queue.put_nowait(entry)

    def _is_repeated(self, entry: Entry) -> bool:
        """Whether its fact was published before: whoever did so may have died before noting it."""
        if not entry.fact:
            return False
        is_known = entry.fact in self._facts
        self._facts.append(entry.fact)
        return is_known

    def complete_backlog(self, backlog: list[Entry]) -> None:
        """Deliver what was there before, then what came meanwhile."""
        held, self._held = self._held or [], None
        for entry in [*backlog, *held]:
            self._add(entry)

    def interrupt(self, error: Exception) -> None:
        """Wake the reader with an error."""
        self._queue.put_nowait(error)

    async def get(self) -> Entry:
        """The next entry; raises FellBehind or Resynchronise."""
        item = await self._queue.get()
        if isinstance(item, Exception):
            raise item
        return item


class StreamHub:
    """Follows streams for any number of subscriptions; survives a restart of Redis."""

    def __init__(self) -> None:
        self._redis = aioredis.Redis.from_url(settings.REDIS_URL, socket_timeout=None, socket_connect_timeout=2)
        self._subscriptions: dict[str, set[Subscription]] = defaultdict(set)
        self._positions: dict[str, str] = {}
        self._wake_stream = f"glassdesk:hub:{uuid.uuid4()}"
        self._reader: asyncio.Task[None] | None = None

    async def has_entry(self, stream: str, entry_id: str) -> bool:
        """Whether the stream still holds that entry, so that a client may resume behind it."""
        return bool(await self._redis.xrange(stream, entry_id, entry_id, count=1))

    async def last_id(self, stream: str) -> str:
        """The newest entry's id, or the start when there is none."""
        newest: Any = await self._redis.xrevrange(stream, count=1)
        return decode(*newest[0]).id if newest else START

    async def entries(self, stream: str, after: str) -> list[Entry]:
        """All entries behind `after`."""
        found: Any = await self._redis.xrange(stream, f"({after}", "+")
        return [decode(*raw) for raw in found]

    @asynccontextmanager
    async def follow(self, stream: str, *, after: str) -> AsyncIterator[Subscription]:
        """Subscribe for the length of the block. Raises redis.RedisError when Redis is away now."""
        subscription = Subscription(after)
        self._subscriptions[stream].add(subscription)
        try:
            if stream not in self._positions:
                self._positions[stream] = after
            self._ensure_reader()
            await self._wake()
            subscription.complete_backlog(await self.entries(stream, after))
            yield subscription
        finally:
            self._subscriptions[stream].discard(subscription)
            if not self._subscriptions[stream]:
                del self._subscriptions[stream]
                self._positions.pop(stream, None)

    def streams(self) -> tuple[str, ...]:
        """The streams that somebody follows."""
        return tuple(self._subscriptions)

    def _ensure_reader(self) -> None:
        if self._reader is None or self._reader.done():
            self._reader = asyncio.get_running_loop().create_task(self._read_forever(), name="stream-hub")

    async def _wake(self) -> None:
        """End the current blocking read, so that the next one includes a new stream."""
        await self._redis.xadd(self._wake_stream, cast("Any", encode({})), maxlen=1)
        await self._redis.expire(self._wake_stream, 60)

    async def _read_forever(self) -> None:
        wake_position = START
        delay = 0.05
        away = False
        while self._subscriptions:
            positions = {**self._positions, self._wake_stream: wake_position}
            try:
                # Behind an absence the first read comes back at once: whoever follows is notified of it before the next entry.
                block = 1 if away else BLOCK_MILLISECONDS
                answer: Any = await self._redis.xread(cast("Any", positions), block=block)
            except (RedisError, OSError) as error:
                logger.warning("stream_hub_disconnected", error=type(error).__name__, retry_seconds=delay)
                away = True
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
                continue
            delay = 0.05
            if away:
                away = False
                self._interrupt_all(Resynchronise())
            for raw_stream, entries in answer or []:
                wake_position = self._deliver(raw_stream.decode(), entries, wake_position)

    def _deliver(self, stream: str, entries: list[Any], wake_position: str) -> str:
        if stream == self._wake_stream:
            return decode(*entries[-1]).id
        for raw in entries:
            entry = decode(*raw)
            if stream in self._positions:
                self._positions[stream] = entry.id
            for subscription in tuple(self._subscriptions.get(stream, ())):
                subscription.push(entry)
        return wake_position

    def _interrupt_all(self, error: Exception) -> None:
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.interrupt(error)


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, StreamHub] = weakref.WeakKeyDictionary()


def followed_conversations() -> int:
    """How many conversations the sockets of this process follow now."""
    streams = [stream for each in tuple(_hubs.values()) for stream in tuple(each.streams())]
    return sum(not stream.endswith((INBOX_SUFFIX, ACCESS_SUFFIX)) for stream in streams)


def hub() -> StreamHub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = StreamHub()
    return _hubs[loop]

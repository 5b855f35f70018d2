"""Streams over real Valkey: nothing lost, nothing repeated, whatever drops."""

from __future__ import annotations

import asyncio
import random
import uuid

import pytest

from helpdesk.embedded.valkey import Valkey
from helpdesk.streams.entries import START, Entry
from helpdesk.streams.hub import Resynchronise, StreamHub, hub
from helpdesk.streams.writer import client, publish, publish_together


def new_stream() -> str:
    return f"glassdesk:stream:test:{uuid.uuid4()}"


async def take(subscription: object, count: int) -> list[int]:
    numbers = []
    async with asyncio.timeout(20):
        while len(numbers) < count:
            entry: Entry = await subscription.get()  # type: ignore[attr-defined]
            numbers.append(entry.data["n"])
    return numbers


async def test_entries_before_and_after_the_subscription_arrive_once_and_in_order() -> None:
    stream = new_stream()
    for n in range(5):
        publish(stream, {"n": n})
    async with hub().follow(stream, after=START) as subscription:
        for n in range(5, 10):
            await asyncio.to_thread(publish, stream, {"n": n})
        assert await take(subscription, 10) == list(range(10))


async def test_a_second_subscriber_of_a_followed_stream_gets_the_backlog_too() -> None:
    stream = new_stream()
    async with hub().follow(stream, after=START) as first:
        for n in range(4):
            await asyncio.to_thread(publish, stream, {"n": n})
        assert await take(first, 4) == [0, 1, 2, 3]
        async with hub().follow(stream, after=START) as second:
            await asyncio.to_thread(publish, stream, {"n": 4})
            assert await take(second, 5) == [0, 1, 2, 3, 4]
        assert await take(first, 1) == [4]


async def test_dropping_at_random_points_and_resuming_loses_and_repeats_nothing() -> None:
    dice = random.Random(7)
    for _ in range(50):
        stream = new_stream()
        total = dice.randint(5, 40)

        async def write(stream: str = stream, total: int = total) -> None:
            for n in range(total):
                await asyncio.to_thread(publish, stream, {"n": n})

        writer = asyncio.create_task(write())
        received: list[int] = []
        cursor = START
        async with asyncio.timeout(20):
            while len(received) < total:
                until = dice.randint(len(received) + 1, total)
                async with hub().follow(stream, after=cursor) as subscription:
                    while len(received) < until:
                        entry = await subscription.get()
                        received.append(entry.data["n"])
                        cursor = entry.id
        await writer
        assert received == list(range(total))


async def test_many_streams_share_one_reader() -> None:
    one_hub = StreamHub()
    streams = [new_stream() for _ in range(30)]

    async def follow(stream: str) -> list[int]:
        async with one_hub.follow(stream, after=START) as subscription:
            return await take(subscription, 20)

    readers = [asyncio.create_task(follow(stream)) for stream in streams]

    def write_all() -> None:
        for n in range(20):
            for stream in streams:
                publish(stream, {"n": n})

    await asyncio.to_thread(write_all)
    assert await asyncio.gather(*readers) == [list(range(20))] * 30


async def test_a_restart_of_valkey_interrupts_with_resynchronise_and_following_works_again(
    valkey_server: Valkey,
) -> None:
    stream = new_stream()
    async with hub().follow(stream, after=START) as subscription:
        await asyncio.to_thread(publish, stream, {"n": 1})
        assert await take(subscription, 1) == [1]
        await asyncio.to_thread(valkey_server.stop)
        # In this thread: the kernel ends the server with the thread that started it.
        valkey_server.start()
        with pytest.raises(Resynchronise):
            async with asyncio.timeout(20):
                await subscription.get()
        await asyncio.to_thread(publish, stream, {"n": 2})
        assert await take(subscription, 1) == [2]


async def test_streams_expire() -> None:
    stream = new_stream()
    publish(stream, {"n": 1})
    assert 0 < client().ttl(stream) <= 600


async def test_a_fact_that_is_published_twice_arrives_once() -> None:
    stream = new_stream()
    facts = [str(uuid.uuid4()) for _ in range(3)]
    for n in (0, 0, 1):
        publish_together({stream: {"n": n}}, fact=facts[n])
    async with hub().follow(stream, after=START) as subscription:
        for n in (1, 2, 0):
            await asyncio.to_thread(publish_together, {stream: {"n": n}}, fact=facts[n])
        await asyncio.to_thread(publish, stream, {"n": 3})
        assert await take(subscription, 4) == [0, 1, 2, 3]

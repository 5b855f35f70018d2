"""The broker goes away while a worker holds messages that are acknowledged at their end; slots are kept for some."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kombu import Connection, Consumer, Message
from kombu.transport.redis import Transport

from helpdesk.queue import broker
from helpdesk.queue.celery import app, first_steps, step_of_priority

QUEUE = "tests.broker"
WAIT_SECONDS = 5


@pytest.fixture
def held() -> Iterator[Connection]:
    """A connection whose channel has taken a message and not acknowledged it."""
    with app.connection_for_write() as connection:
        connection.SimpleQueue(QUEUE).put({"id": 1})
    connection = app.connection_for_read()
    connection.SimpleQueue(QUEUE).get(timeout=WAIT_SECONDS)
    yield connection
    with app.connection_for_write() as cleaning:
        cleaning.default_channel.queue_delete(QUEUE)


def test_a_channel_of_a_lost_connection_closes_without_its_messages(held: Connection) -> None:
    """kombu forgets the address first; unhandled, this ended the worker with all replies in progress."""
    channel = held.default_channel
    held.transport.client = None
    channel._disconnect_pools()
    channel.close()
    assert channel.closed


def test_a_task_that_ends_after_its_channel_was_lost_acknowledges_nothing(held: Connection) -> None:
    """The worker has a new connection by then, and the message none: unhandled, this ended the worker as well."""
    channel = held.default_channel
    (message,) = channel.qos._delivered.values()
    held.transport.client = None
    channel._disconnect_pools()
    channel.close()
    message.ack()
    assert message.acknowledged


def test_a_connection_that_is_closed_in_good_order_gives_its_messages_back(held: Connection) -> None:
    held.default_channel.close()
    with app.connection_for_read() as connection:
        again = connection.SimpleQueue(QUEUE).get(timeout=WAIT_SECONDS)
        again.ack()
    assert again.payload == {"id": 1}


@pytest.fixture
def reserved(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Two slots that no over-share reply gets."""
    monkeypatch.setattr(Transport, "Channel", Transport.Channel)
    monkeypatch.setattr(broker.ReservingChannel, "reserved", 0)
    monkeypatch.setattr(broker.ReservingChannel, "first_steps", ())
    broker.reserve(2, first_steps=first_steps())
    yield 2
    with app.connection_for_write() as cleaning:
        cleaning.default_channel.queue_delete(QUEUE)


def test_over_share_replies_leave_slots_for_the_first_replies_of_others(reserved: int) -> None:
    slots, over_share, first = 5, step_of_priority(4), step_of_priority(3)
    taken: list[Message] = []

    def put(name: str, priority: int) -> None:
        with app.connection_for_write() as writing:
            writing.SimpleQueue(QUEUE).producer.publish(name, routing_key=QUEUE, priority=priority)

    with app.connection_for_read() as reading:
        queue = reading.SimpleQueue(QUEUE).queue
        consumer = Consumer(reading, [queue], on_message=taken.append, prefetch_count=slots)

        def names() -> list[str]:
            """What has been taken once nothing more comes."""
            for _ in range(2 * slots):
                try:
                    reading.drain_events(timeout=0.2)
                except TimeoutError:
                    break
            return [message.payload for message in taken]

        with consumer:
            for name in "abcd":
                put(name, over_share)
            assert names() == ["a", "b", "c"]
            put("first", first)
            assert names() == ["a", "b", "c", "first"]
            # Two slots are free again, and neither is for over-share replies.
            taken[0].ack()
            assert names() == ["a", "b", "c", "first"]
            taken[1].ack()
            assert names() == ["a", "b", "c", "first", "d"]
            for message in taken[2:]:
                message.ack()

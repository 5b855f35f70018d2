"""The broker goes away while a worker holds messages that are acknowledged at their end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kombu import Connection

from helpdesk.celery import app

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

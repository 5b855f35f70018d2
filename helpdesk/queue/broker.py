"""Celery's connection to Redis: its loss is survived by a worker whose tasks are acknowledged at their end, and a worker
can reserve slots for the tasks of the first priority steps."""

from __future__ import annotations

from typing import Any, ClassVar

import redis
import structlog
from kombu.transport.redis import Channel, QoS, Transport

logger = structlog.get_logger(__name__)

# How soon a worker that fetches first steps only sees that it has slots for all of them again.
LOOK_AGAIN_SECONDS = 0.05


class LenientQoS(QoS):
    """Gives unacknowledged messages back when a channel closes, and lets it close when that cannot be done.

    kombu 5.7 closes the channels of a lost connection after it has forgotten the address, and acknowledges what ends
    later on the channel that is closed: AttributeError, which ends the whole worker. What is neither given back nor
    acknowledged here is delivered again after the visibility timeout, and sweeps come sooner.
    """

    def restore_unacked(self, client: Any = None) -> None:
        """Give back what can be given back."""
        try:
            super().restore_unacked(client)
        except (AttributeError, redis.RedisError) as error:
            logger.warning("messages_not_given_back", error=type(error).__name__)

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge, unless the channel was lost meanwhile."""
        if self.channel.closed:
            logger.warning("message_not_acknowledged")
            return
        super().ack(delivery_tag)


def survive_lost_connections() -> None:
    """Let all channels of this process use it."""
    Channel.QoS = LenientQoS


class ReservingChannel(Channel):
    """Fetches tasks of all priority steps while more than the `reserved` slots are free, and then only those of `first_steps`.

    kombu names the lists in every BRPOP anew; that is where the others are left out.
    """

    reserved: ClassVar[int] = 0
    first_steps: ClassVar[tuple[int, ...]] = ()

    def _brpop_start(self, timeout: float | None = None) -> None:
        qos = self.qos
        fetched = len(qos._delivered or ()) - len(qos._dirty or ())
        steps = self.priority_steps
        if qos.prefetch_count and qos.prefetch_count - fetched <= self.reserved:
            self.priority_steps, timeout = list(self.first_steps), LOOK_AGAIN_SECONDS
        try:
            super()._brpop_start(timeout)  # type: ignore[misc]
        finally:
            self.priority_steps = steps


def reserve(slots: int, *, first_steps: tuple[int, ...]) -> None:
    """Let this process leave so many of its slots to tasks of `first_steps`; to be called before it consumes."""
    ReservingChannel.reserved, ReservingChannel.first_steps = slots, first_steps
    Transport.Channel = ReservingChannel

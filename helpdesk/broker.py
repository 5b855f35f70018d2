"""Celery's connection to Redis, so that its loss is survived by a worker whose tasks are acknowledged at their end."""

from __future__ import annotations

from typing import Any

import redis
import structlog
from kombu.transport.redis import Channel, QoS

logger = structlog.get_logger(__name__)


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

"""Telling a person's open sockets that what let them in may have changed: they look again at once.

They look every half a minute anyway: a message that is lost delays, and opens nothing.
"""

from __future__ import annotations

import redis
import structlog

from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact
from helpdesk.streams.entries import access_stream
from helpdesk.streams.writer import publish, publish_together

logger = structlog.get_logger(__name__)

CHANGES_ACCESS = frozenset({FactKind.MEMBERSHIP_CHANGED, FactKind.MEMBERSHIP_ENDED})


def publish_access(fact: Fact) -> None:
    """For a change of a membership. Raises RedisError."""
    publish_together({access_stream(fact.data["person"]): {"type": "access"}}, fact=str(fact.id))


def announce_access(user_id: int) -> None:
    """For sessions that were ended; Redis may be away."""
    try:
        publish(access_stream(user_id), {"type": "access"})
    except redis.RedisError as error:
        logger.warning("access_not_announced", user_id=user_id, error=type(error).__name__)

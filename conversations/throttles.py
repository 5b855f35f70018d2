"""Limits for customers, counted in Redis in fixed one-minute windows."""

from __future__ import annotations

import time
from uuid import UUID

import redis
import structlog
from django.conf import settings

from helpdesk.errors import TooManyRequests
from helpdesk.streams.writer import client

logger = structlog.get_logger(__name__)


def check_message_rate(visitor_id: UUID) -> None:
    """Count one message of this visitor; raises TooManyRequests above the limit. Without Redis nothing is counted."""
    window = int(time.time() // 60)
    key = f"glassdesk:rate:message:{visitor_id}:{window}"
    try:
        with client().pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, 120)
            count = int(pipeline.execute()[0])
    except redis.RedisError as error:
        logger.warning("rate_limit_unavailable", error=type(error).__name__)
        return
    if count > settings.VISITOR_MESSAGES_PER_MINUTE:
        raise TooManyRequests(retry_after=60 - int(time.time() % 60))

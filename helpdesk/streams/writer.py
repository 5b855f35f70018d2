"""Writing to streams, from workers and from request threads."""

from __future__ import annotations

import functools
from typing import Any, cast

import redis
import structlog
from django.conf import settings
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from helpdesk.streams.entries import encode

logger = structlog.get_logger(__name__)


@functools.cache
def client() -> redis.Redis:
    """The process' connection pool for short commands."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=5,
        socket_connect_timeout=2,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.4, base=0.05), retries=3),
    )


def publish(stream: str, data: dict[str, Any]) -> str:
    """Append an entry and return its id. The stream expires some minutes after its last entry.

    Raises redis.RedisError when Redis is away; the database row stays the truth.
    """
    with client().pipeline(transaction=False) as pipeline:
        pipeline.xadd(stream, cast("Any", encode(data)), maxlen=settings.STREAM_MAX_ENTRIES, approximate=True)
        pipeline.expire(stream, settings.STREAM_TTL_SECONDS)
        entry_id = pipeline.execute()[0]
    return cast(bytes, entry_id).decode()


def try_publish(stream: str, data: dict[str, Any]) -> None:
    """Append an entry, or log that Redis is away: for news that a reconnecting client learns from the database."""
    try:
        publish(stream, data)
    except redis.RedisError as error:
        logger.warning("stream_publish_failed", kind=data.get("type"), error=type(error).__name__)


def forget_stream(stream: str) -> None:
    """Remove a stream now; when Redis is away it expires by itself."""
    try:
        client().delete(stream)
    except redis.RedisError as error:
        logger.warning("stream_not_forgotten", error=type(error).__name__)


def stop_key(reply_id: object) -> str:
    """The key whose existence asks the worker to stop writing that reply."""
    return f"glassdesk:stop:{reply_id}"


def ask_to_stop(reply_id: object) -> None:
    """Ask the worker to stop; kept long enough to outlive any deadline."""
    client().set(stop_key(reply_id), b"1", ex=600)


def is_asked_to_stop(reply_id: object) -> bool:
    """Whether somebody asked to stop this reply."""
    return bool(client().exists(stop_key(reply_id)))

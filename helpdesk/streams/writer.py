"""Writing to streams, from workers and from request threads."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, cast

import redis
import structlog
from django.conf import settings
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from helpdesk.streams.entries import encode

logger = structlog.get_logger(__name__)

STOP_CHANNEL = "glassdesk:stop"


@functools.cache
def client() -> redis.Redis:
    """The process' connection pool for short commands."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=5,
        socket_connect_timeout=2,
        health_check_interval=30,
        # A connection that was lost is made anew. What got no answer in time is not asked again: it would take as long.
        retry=Retry(
            ExponentialBackoff(cap=0.4, base=0.05), retries=3, supported_errors=(redis.exceptions.ConnectionError,)
        ),
    )


def publish(stream: str, data: dict[str, Any]) -> str:
    """Append an entry and return its id. The stream expires some minutes after its last entry.

    Raises redis.RedisError when Redis is away; the database row stays the truth.
    """
    return publish_together({stream: data})[0]


def publish_together(entries: Mapping[str, dict[str, Any]], *, fact: str = "") -> list[str]:
    """Append an entry to each of these streams, in one round trip, and return the entries' ids. Raises as `publish` does.

    `fact` is the id of the fact that the entries report: a reader drops one that it has had already.
    """
    with client().pipeline(transaction=False) as pipeline:
        for stream, data in entries.items():
            fields = cast("Any", encode(data, fact=fact))
            pipeline.xadd(stream, fields, maxlen=settings.STREAM_MAX_ENTRIES, approximate=True)
            pipeline.expire(stream, settings.STREAM_TTL_SECONDS)
        answers = pipeline.execute()
    return [cast(bytes, entry_id).decode() for entry_id in answers[::2]]


def forget_stream(stream: str) -> None:
    """Remove a stream now; when Redis is away it expires by itself."""
    try:
        client().delete(stream)
    except redis.RedisError as error:
        logger.warning("stream_not_forgotten", error=type(error).__name__)


def ask_to_stop(reply_id: object) -> None:
    """Tell the worker that writes this reply to stop; while Redis is away it learns that from the reply's row."""
    try:
        client().publish(STOP_CHANNEL, str(reply_id))
    except redis.RedisError as error:
        logger.warning("stop_not_published", reply_id=str(reply_id), error=type(error).__name__)


def subscriber() -> Any:
    """A subscription with a connection of its own; use it as a context manager."""
    return client().pubsub()  # type: ignore[no-untyped-call]

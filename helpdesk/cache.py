"""The cache, which nothing may depend on: when Redis is away it is an empty one, and says so in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

T = TypeVar("T")

logger = structlog.get_logger(__name__)


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache, except that a lost connection reads as a miss and writes as success.

    `add` has to succeed then: allauth takes its lock with it, and would otherwise make people wait for it. What must not go
    uncounted asks `is_there` first (helpdesk.users.attempts).
    """

    def is_there(self) -> bool:
        """Whether Redis answers now."""
        return bool(_or(False, self._ping))

    def _ping(self) -> bool:
        return bool(self._cache.get_client(None, write=True).ping())

    def add(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return _or(True, super().add, key, value, timeout, version)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _or(default, super().get, key, default, version)

    def set(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        _or(None, super().set, key, value, timeout, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return _or(0, super().incr, key, delta, version)

    def touch(self, key: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return _or(False, super().touch, key, timeout, version)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return _or(False, super().delete, key, version)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return _or(False, super().has_key, key, version)

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return _or({}, super().get_many, keys, version)

    def set_many(self, data: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> list[Any]:
        return _or([], super().set_many, data, timeout, version)


def _or(fallback: T, method: Callable[..., T], *arguments: Any) -> T:
    try:
        return method(*arguments)
    except (RedisError, OSError) as error:
        logger.warning("cache_unavailable", operation=method.__name__, error=type(error).__name__)
        return fallback

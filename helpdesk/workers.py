"""Heartbeats of inference workers, kept in one Redis hash."""

from __future__ import annotations

import json
import time
from typing import Any, cast

from helpdesk.streams.writer import client

KEY = "glassdesk:workers"
FRESH_SECONDS = 12.0
FORGET_SECONDS = 3600.0


def report_heartbeat(name: str, status: dict[str, Any]) -> None:
    """Say that the worker lives. Raises redis.RedisError."""
    client().hset(KEY, name, json.dumps({**status, "at": time.time()}))


def remove_heartbeat(name: str) -> None:
    """The worker has stopped in good order."""
    client().hdel(KEY, name)


def read_heartbeats() -> list[dict[str, Any]]:
    """What the workers that reported lately said; those that went silent long ago are forgotten."""
    rows = cast("dict[bytes, bytes]", client().hgetall(KEY))
    now = time.time()
    fresh = []
    for name, encoded in rows.items():
        status = json.loads(encoded)
        if now - status["at"] <= FRESH_SECONDS:
            fresh.append(status)
        elif now - status["at"] > FORGET_SECONDS:
            client().hdel(KEY, name)
    return fresh

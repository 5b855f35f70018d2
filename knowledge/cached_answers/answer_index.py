"""Where earlier answers stand, in Redis: ids and vectors under keyed digests, never a word.

Nothing may depend on it. While Redis is away it finds nothing; whatever it finds is looked up in the database and judged
there, so that a forged entry cannot show anybody another tenant's answer.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import numpy as np
import numpy.typing as npt
import redis
import structlog

from helpdesk.streams.writer import client

VECTORS_AT_MOST = 500
VECTOR_DTYPE = "<f2"
# Expiry as seconds since 1970, trace, message.
_HEAD = struct.Struct("<d16s16s")

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pointer:
    """The ids of an earlier answer. `similarity` is the cosine of the two questions, 1 for the same one."""

    trace_id: UUID
    message_id: UUID
    similarity: float = 1.0


def same(tenant_id: UUID, digest: str) -> Pointer | None:
    """The answer to the question of that digest."""
    try:
        packed = client().get(_exact_key(tenant_id, digest))
    except redis.RedisError as error:
        _away("read", error)
        return None
    return _unpacked(cast("bytes", packed or b""))


def alike(
    tenant_id: UUID, digest: str, vector: Sequence[float], *, at_least: float, limit: int = 3
) -> tuple[Pointer, ...]:
    """Answers to the questions of that digest's group whose cosine with the vector is high enough, the nearest first."""
    try:
        stored = cast("list[bytes]", client().lrange(_near_key(tenant_id, digest), 0, VECTORS_AT_MOST - 1))
    except redis.RedisError as error:
        _away("read", error)
        return ()
    wanted = np.asarray(vector, np.float32)
    size = _HEAD.size + wanted.size * np.dtype(VECTOR_DTYPE).itemsize
    whole = [entry for entry in stored if len(entry) == size]
    if not whole:
        return ()
    cosines = _matrix(whole) @ wanted
    nearest = [int(place) for place in np.argsort(-cosines, kind="stable") if cosines[place] >= at_least]
    found = (_unpacked(whole[place], similarity=float(cosines[place])) for place in nearest)
    return tuple(pointer for pointer in found if pointer is not None)[:limit]


def remember(
    tenant_id: UUID, pointer: Pointer, *, exact: str, group: str, vector: Sequence[float] | None, seconds: int
) -> None:
    """Keep an answer for that long, under its question's digest and with the question's vector in its group's list."""
    expires = time.time() + seconds
    head = _HEAD.pack(expires, pointer.trace_id.bytes, pointer.message_id.bytes)
    keys = {_exact_key(tenant_id, exact): expires, _near_key(tenant_id, group): expires}
    try:
        with client().pipeline() as pipeline:
            pipeline.set(_exact_key(tenant_id, exact), head, ex=seconds)
            if vector is not None:
                near = _near_key(tenant_id, group)
                pipeline.lpush(near, head + np.asarray(vector, VECTOR_DTYPE).tobytes())
                pipeline.ltrim(near, 0, VECTORS_AT_MOST - 1)
                pipeline.expire(near, seconds)
            pipeline.zadd(_names_key(tenant_id), cast("Any", keys))
            pipeline.zremrangebyscore(_names_key(tenant_id), "-inf", time.time())
            pipeline.expire(_names_key(tenant_id), seconds)
            pipeline.execute()
    except redis.RedisError as error:
        _away("write", error)


def forget_all(tenant_id: UUID) -> None:
    """Empty the tenant's index."""
    try:
        names = cast("list[bytes]", client().zrange(_names_key(tenant_id), 0, -1))
        if names:
            # Only what was listed: an answer that is remembered at this moment is not torn in two.
            with client().pipeline() as pipeline:
                pipeline.unlink(*names)
                pipeline.zrem(_names_key(tenant_id), *names)
                pipeline.execute()
    except redis.RedisError as error:
        _away("empty", error)


def _unpacked(packed: bytes, *, similarity: float = 1.0) -> Pointer | None:
    if len(packed) < _HEAD.size:
        return None
    expires, trace, message = _HEAD.unpack_from(packed)
    return Pointer(UUID(bytes=trace), UUID(bytes=message), similarity) if expires > time.time() else None


def _matrix(entries: Sequence[bytes]) -> npt.NDArray[np.float32]:
    return np.stack([np.frombuffer(entry, VECTOR_DTYPE, offset=_HEAD.size) for entry in entries]).astype(np.float32)


def _names_key(tenant_id: UUID) -> str:
    return f"glassdesk:answers:{tenant_id}"


def _exact_key(tenant_id: UUID, digest: str) -> str:
    return f"glassdesk:answers:{tenant_id}:exact:{digest}"


def _near_key(tenant_id: UUID, digest: str) -> str:
    return f"glassdesk:answers:{tenant_id}:near:{digest}"


def _away(operation: str, error: redis.RedisError) -> None:
    logger.warning("answer_index_unavailable", operation=operation, error=type(error).__name__)

"""Waiting for an answer within a request: the row is the truth, the stream says when to look at it."""

from __future__ import annotations

import time
from typing import Any, cast
from uuid import UUID

import redis
from django.db import close_old_connections

from conversations.models import Reply
from conversations.queries import IN_FLIGHT
from helpdesk.streams.entries import START, conversation_stream, decode
from helpdesk.streams.writer import client
from helpdesk.tenants.scope import tenant_atomic

LOOK_MILLISECONDS = 2000
WITHOUT_STREAM_SECONDS = 0.25
ENDINGS = {"done", "failed"}


def wait_for_reply(*, tenant_id: UUID, reply: Reply, seconds: float) -> bool:
    """Whether the reply ended within that time. Holds no database connection meanwhile."""
    deadline = time.monotonic() + seconds
    stream = conversation_stream(tenant_id, reply.conversation_id)
    cursor = _newest(stream)
    while True:
        if _has_ended(tenant_id, reply.id):
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        cursor = _until_something_ends(stream, cursor, str(reply.id), min(left, LOOK_MILLISECONDS / 1000))


def _has_ended(tenant_id: UUID, reply_id: UUID) -> bool:
    with tenant_atomic(tenant_id):
        is_open = Reply.objects.filter(id=reply_id, status__in=IN_FLIGHT).exists()
    close_old_connections()
    return not is_open


def _newest(stream: str) -> str:
    try:
        newest: Any = client().xrevrange(stream, count=1)
    except redis.RedisError:
        return START
    return decode(*newest[0]).id if newest else START


def _until_something_ends(stream: str, cursor: str, reply_id: str, seconds: float) -> str:
    """Return at the reply's end, or after that time; with the newest entry's id."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            answer = cast("Any", client().xread({stream: cursor}, block=max(1, int(left * 1000))))
        except redis.RedisError:
            time.sleep(min(left, WITHOUT_STREAM_SECONDS))
            return cursor
        for raw in answer[0][1] if answer else []:
            entry = decode(*raw)
            cursor = entry.id
            if entry.data.get("type") in ENDINGS and entry.data.get("reply") == reply_id:
                return cursor
    return cursor

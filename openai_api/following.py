"""Waiting for a reply: its deltas from the stream, its end from the stream or, when that is away, from its row.

Nothing here holds a thread or a database connection while it waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from conversations.failures import FailureCode
from conversations.models import Reply, ReplyStatus
from helpdesk.streams.entries import START, Entry, conversation_stream
from helpdesk.streams.hub import FellBehind, Resynchronise, Subscription, hub
from helpdesk.tenants.off_loop import in_database
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)

# So often the row is looked at while the stream says nothing.
LOOK_SECONDS = 5.0
RETRY_SECONDS = 0.5
# A worker may finish at the deadline itself, and the sweep fails what is late some seconds after it.
GRACE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class AskedReply:
    """A reply that a caller waits for."""

    tenant_id: UUID
    conversation_id: UUID
    reply_id: UUID
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """Text of an answer in progress, as the worker numbered it."""

    attempt: int
    sequence: int
    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The reply is finished; `failure` is empty when there is an answer."""

    failure: str = ""


async def follow(asked: AskedReply) -> AsyncGenerator[Written | Ended, None]:
    """Everything that is written of this reply, then one Ended."""
    stream, cursor = conversation_stream(asked.tenant_id, asked.conversation_id), START
    seconds_left = (asked.deadline_at - timezone.now()).total_seconds() + GRACE_SECONDS
    give_up_at = asyncio.get_running_loop().time() + seconds_left
    while True:
        try:
            async with hub().follow(stream, after=cursor) as subscription:
                while (entry := await _next_entry(subscription)) is not None:
                    cursor = entry.id
                    event = _event(entry, asked)
                    if event is not None:
                        yield event
                    if isinstance(event, Ended):
                        return
        except (Resynchronise, FellBehind):
            pass
        except (RedisError, OSError) as error:
            logger.warning("reply_follow_retry", error=type(error).__name__, reply_id=str(asked.reply_id))
            await asyncio.sleep(RETRY_SECONDS)
        ended = await _look(asked)
        if ended is None and asyncio.get_running_loop().time() > give_up_at:
            ended = Ended(FailureCode.DEADLINE)
        if ended is not None:
            yield ended
            return


async def _next_entry(subscription: Subscription) -> Entry | None:
    """The next entry; None when it is time to look at the row."""
    try:
        return await asyncio.wait_for(subscription.get(), LOOK_SECONDS)
    except TimeoutError:
        return None


def _event(entry: Entry, asked: AskedReply) -> Written | Ended | None:
    data = entry.data
    if data.get("reply") != str(asked.reply_id):
        return None
    match data["type"]:
        case "delta":
            return Written(data["attempt"], data["sequence"], data["text"])
        case "done":
            return Ended()
        case "failed":
            return Ended(data["code"])
    return None


async def _look(asked: AskedReply) -> Ended | None:
    """Whether the row says that the reply is finished."""
    try:
        status, code = await in_database(_status, asked)
    except DatabaseError as error:
        logger.warning("reply_not_looked_at", error=type(error).__name__, reply_id=str(asked.reply_id))
        return None
    if status == ReplyStatus.DONE:
        return Ended()
    return Ended(code or FailureCode.ENGINE) if status == ReplyStatus.FAILED else None


def _status(asked: AskedReply) -> tuple[str, str]:
    with tenant_atomic(asked.tenant_id):
        found: tuple[str, str] | None = (
            Reply.objects.filter(id=asked.reply_id).values_list("status", "error_code").first()
        )
        # A conversation that was deleted meanwhile takes its replies along.
        return found or (ReplyStatus.FAILED, FailureCode.STOPPED)

"""One reply as server-sent events: everything that was written of it so far, then the rest as it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.utils import translation
from redis.exceptions import RedisError

from conversations.failures import FailureCode, sentence_for_api_client
from conversations.models import Message, Reply
from conversations.queries import IN_FLIGHT, describe_message
from helpdesk.streams.entries import START, conversation_stream, order
from helpdesk.streams.hub import FellBehind, Resynchronise, hub
from helpdesk.tenants.off_loop import in_database
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 15.0
RETRY_SECONDS = 0.5
HEARTBEAT = b": still here\n\n"


@dataclass(frozen=True, slots=True)
class FollowedReply:
    """Which reply, and the language for sentences about it."""

    tenant_id: UUID
    conversation_id: UUID
    reply_id: UUID
    language: str

    @property
    def stream(self) -> str:
        return conversation_stream(self.tenant_id, self.conversation_id)


async def reply_events(reply: FollowedReply, *, after: str | None) -> AsyncIterator[bytes]:
    """Events until `done` or `failed`; behind `after` when the stream still holds that entry, else from the beginning.

    Holds no database connection between events. A `reply` event means: what came of this reply before is void.
    """
    cursor = after
    while True:
        try:
            async for event in _events_behind(reply, cursor):
                yield event
            return
        except (Resynchronise, FellBehind):
            cursor = None
        except (RedisError, OSError) as error:
            logger.warning("reply_stream_retry", error=type(error).__name__)
            cursor = None
            yield HEARTBEAT
            await asyncio.sleep(RETRY_SECONDS)
        ending = await in_database(_ending, reply)
        if ending is not None:
            yield encode(*ending)
            return


async def _events_behind(reply: FollowedReply, after: str | None) -> AsyncIterator[bytes]:
    """What the stream says, and in its silences what the row says, since an entry may have been lost."""
    start = await _start(reply, after)
    async with hub().follow(reply.stream, after=start) as subscription:
        has_row_been_read = False
        while True:
            # The row is read once nothing waits in the stream: of a reply that ended long ago nothing else is left.
            patience = HEARTBEAT_SECONDS if has_row_been_read else 0.05
            try:
                entry = await asyncio.wait_for(subscription.get(), patience)
            except TimeoutError:
                ending = await in_database(_ending, reply)
                if ending is not None:
                    yield encode(*ending)
                    return
                if has_row_been_read:
                    yield HEARTBEAT
                has_row_been_read = True
                continue
            if entry.data.get("reply") != str(reply.reply_id):
                continue
            kind = entry.data["type"]
            if kind in {"done", "failed"}:
                ending = await in_database(_ending, reply)
                if ending is not None:
                    yield encode(*ending, entry_id=entry.id)
                    return
            else:
                yield encode(kind, entry.data, entry_id=entry.id)


async def _start(reply: FollowedReply, after: str | None) -> str:
    if after is not None and await hub().has_entry(reply.stream, after):
        return after
    before = START
    for entry in await hub().entries(reply.stream, START):
        if entry.data.get("reply") == str(reply.reply_id):
            break
        before = entry.id
    return before


def _ending(reply: FollowedReply) -> tuple[str, dict[str, Any]] | None:
    """The last event of a reply that has ended, from its row."""
    with tenant_atomic(reply.tenant_id):
        row: Reply | None = Reply.objects.filter(id=reply.reply_id).first()
        if row is None:
            return "failed", _failure(reply, FailureCode.DELETED, 0)
        if row.status in IN_FLIGHT:
            return None
        if row.answer_id is None:
            return "failed", _failure(reply, row.error_code, row.attempt)
        rows = Message.objects.select_related("user", "answer_to", "conversation__assistant")
        answer = describe_message(rows.get(id=row.answer_id))
        return "done", {"reply": str(row.id), "attempt": row.attempt, "message": answer}


def _failure(reply: FollowedReply, code: str, attempt: int) -> dict[str, Any]:
    with translation.override(reply.language):
        sentence = sentence_for_api_client(code)
    return {"reply": str(reply.reply_id), "attempt": attempt, "code": code, "message": sentence}


def encode(kind: str, data: dict[str, Any], *, entry_id: str | None = None) -> bytes:
    """One event; `id` is the stream entry's, for Last-Event-ID."""
    fields = {key: value for key, value in data.items() if key != "type"}
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    place = f"id: {entry_id}\n" if entry_id else ""
    return f"{place}event: {kind}\ndata: {text}\n\n".encode()


def clean_cursor(raw: str | None) -> str | None:
    """The entry id of a Last-Event-ID header; None for anything else."""
    try:
        order(raw or "")
    except ValueError:
        return None
    return raw

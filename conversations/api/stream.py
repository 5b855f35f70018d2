"""One reply as server-sent events: everything that was written of it so far, then the rest as it comes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from django.utils import translation

from conversations.entries import to_plain
from conversations.failures import sentence_for_api_client
from conversations.followed import FollowedReply
from conversations.follower_events import Answered, Came, Failed, Quiet, ReplyEvent
from conversations.following import follow
from helpdesk.streams.entries import order

HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b": still here\n\n"


async def reply_events(
    reply: FollowedReply[dict[str, Any]], *, after: str | None, language: str
) -> AsyncIterator[bytes]:
    """Events until `done` or `failed`; behind `after` when the stream still holds that entry, else from the beginning.

    A `reply` event means: what came of this reply before is void. Sentences are in that language.
    """
    followed: AsyncGenerator[ReplyEvent[dict[str, Any]] | Quiet, None] = follow(
        reply, after=after, heartbeat=HEARTBEAT_SECONDS
    )
    async with contextlib.aclosing(followed) as events:
        async for event in events:
            yield HEARTBEAT if isinstance(event, Quiet) else _encoded(event, language)


def _encoded(event: ReplyEvent[dict[str, Any]], language: str) -> bytes:
    match event:
        case Came():
            plain = to_plain(event.entry)
            return encode(plain.pop("type"), plain, entry_id=event.id)
        case Answered():
            data = {"reply": str(event.reply), "attempt": event.attempt, "message": event.answer}
            return encode("done", data, entry_id=event.id)
        case Failed():
            with translation.override(language):
                sentence = sentence_for_api_client(event.code)
            data = {"reply": str(event.reply), "attempt": event.attempt, "code": event.code, "message": sentence}
            return encode("failed", data, entry_id=event.id)


def encode(kind: str, data: dict[str, Any], *, entry_id: str | None = None) -> bytes:
    """One event; `id` is the stream entry's, for Last-Event-ID."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    place = f"id: {entry_id}\n" if entry_id else ""
    return f"{place}event: {kind}\ndata: {text}\n\n".encode()


def clean_cursor(raw: str | None) -> str | None:
    """The entry id of a Last-Event-ID header; None for anything else."""
    try:
        order(raw or "")
    except ValueError:
        return None
    return raw

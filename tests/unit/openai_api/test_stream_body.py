"""The body of a stream: comments while nothing comes, then chunks, and either the end marker or one error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest

from chat_requests.chat_request import read_chat_request
from helpdesk.api_keys.domain import ApiClient
from helpdesk.errors import GlassdeskError
from openai_api import completions, views
from openai_api.asking import QueuedChoices
from openai_api.completions import Heading
from openai_api.errors import AnswerFailed
from openai_api.streaming import Exchange

CLIENT = ApiClient(key_id=uuid4(), tenant_id=uuid4(), scopes=frozenset(), requests_per_minute=None)
REQUEST = read_chat_request({"model": "m", "messages": [{"role": "user", "content": "Hello"}]})
NOBODY = Exchange(CLIENT, REQUEST, QueuedChoices("scripted", ()), Heading("chatcmpl-1", 0, "scripted"))


async def events(error: GlassdeskError | None = None) -> AsyncGenerator[bytes, None]:
    """One chunk after a while, then the error."""
    await asyncio.sleep(0.1)
    yield b"data: {}\n\n"
    if error is not None:
        raise error


async def body(error: GlassdeskError | None = None) -> list[bytes]:
    coming = events(error)
    return [part async for part in views._body(NOBODY, coming, asyncio.ensure_future(anext(coming)))]


async def test_a_caller_hears_something_while_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "HEARTBEAT_SECONDS", 0.01)
    *waiting, chunk, end = await body()
    assert len(waiting) > 1
    assert set(waiting) == {completions.WAITING}
    assert (chunk, end) == (b"data: {}\n\n", completions.DONE)


async def test_an_error_in_the_middle_is_an_event_and_the_last_one() -> None:
    chunk, last = await body(AnswerFailed())
    assert chunk == b"data: {}\n\n"
    error = json.loads(last.removeprefix(b"data: "))["error"]
    assert (error["code"], error["type"]) == ("answer_failed", "server_error")

"""Asks a running desk as its customers do, and keeps the times of what comes."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from bench.customers import api_keys, subprotocols, visitors
from bench.stacks import Stack

ANSWER_SECONDS = 300
WRITTEN_TOKENS = 60


@dataclass(frozen=True, slots=True)
class Measured:
    """One customer's answer: milliseconds to the first text, to the end and between pieces of text.

    `id` is the reply's or the trace's. `outcome` is the answer's, or "failed".
    """

    first_text_ms: float | None
    total_ms: float
    id: str
    gaps_ms: list[float]
    outcome: str


Customer = Callable[[], Awaitable[Measured]]


async def all_of(customers: list[Customer], streams: int) -> list[Measured]:
    """All of them, so many at once."""
    slots = asyncio.Semaphore(streams)

    async def one(customer: Customer) -> Measured:
        async with slots:
            return await customer()

    return await asyncio.gather(*(one(each) for each in customers))


def widget_customers(desk: Stack, questions: list[tuple[str, str]]) -> list[Customer]:
    """New visitors of the companies' websites, one for each question."""
    return [partial(ask, desk, *visitor) for visitor in visitors(desk, questions)]


def writing_customers(desk: Stack, questions: list[tuple[str, str]]) -> list[Customer]:
    """API clients that ask the model alone, each with a company's API key."""
    keys = api_keys(desk)
    return [partial(have_written, desk, keys[company], question) for company, question in questions]


async def ask(desk: Stack, company: str, question: str, token: str) -> Measured:
    """One question over the widget's protocol."""
    import websockets

    uri = f"ws://{desk.host}/ws/widget/{company}/"
    protocols: Any = subprotocols(desk.host, company, token)
    async with websockets.connect(uri, subprotocols=protocols, origin=f"http://{desk.host}") as socket:  # type: ignore[arg-type]
        await socket.recv()
        begun = time.perf_counter()
        times: list[float] = []
        await socket.send(json.dumps({"type": "message", "client_id": str(uuid.uuid4()), "body": question}))
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                frame = json.loads(await socket.recv())
                if frame["type"] == "delta":
                    times.append((time.perf_counter() - begun) * 1000)
                if frame["type"] in {"done", "failed"}:
                    return Measured(
                        first_text_ms=times[0] if times else None,
                        total_ms=(time.perf_counter() - begun) * 1000,
                        id=frame["reply"],
                        gaps_ms=[later - earlier for earlier, later in pairwise(times)],
                        outcome=frame["message"]["outcome"] if frame["type"] == "done" else "failed",
                    )


async def have_written(desk: Stack, key: str, question: str) -> Measured:
    """One question over OpenAI's protocol, without articles."""
    from openai import AsyncOpenAI

    begun = time.perf_counter()
    times: list[float] = []
    trace, outcome = "", "failed"
    async with AsyncOpenAI(base_url=f"http://{desk.host}/v1", api_key=key, timeout=ANSWER_SECONDS) as client:
        stream = await client.chat.completions.create(
            model="default",
            messages=[{"role": "user", "content": question}],
            max_tokens=WRITTEN_TOKENS,
            temperature=0.0,
            stream=True,
            extra_body={"glassdesk": {"grounded": False}},
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                times.append((time.perf_counter() - begun) * 1000)
            if chunk.choices and chunk.choices[0].finish_reason:
                trace, outcome = str(chunk.trace_id), str(chunk.outcome)  # type: ignore[attr-defined]
    return Measured(
        first_text_ms=times[0] if times else None,
        total_ms=(time.perf_counter() - begun) * 1000,
        id=trace,
        gaps_ms=[later - earlier for earlier, later in pairwise(times)],
        outcome=outcome,
    )

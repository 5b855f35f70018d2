"""Requests at a level of streams, and what they came to: tokens/s, time to the first token, time between tokens."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

VOCABULARY = """
order delivery refund customer return policy shipping package account password invoice payment warranty
repair battery charger garden soil water plant light window table chair color size store price number
monday friday week month please could would when where which how long before after under with without
open close send change cancel confirm email phone address city country tax total credit card bank
transfer receipt copy support team agent reply
"""
WORDS = VOCABULARY.split()
SHARED_WORDS, OWN_WORDS = 130, 330  # what all prompts of a company begin with, and the rest

Ids = Sequence[int]


@dataclass(frozen=True, slots=True)
class Answer:
    """Milliseconds to the first token and between those that came together, and the number of tokens."""

    first_ms: float
    tokens: int
    gaps_ms: list[float]


def text_of(chance: random.Random, words: int) -> str:
    """Words without a meaning."""
    return " ".join(chance.choice(WORDS) for _ in range(words)).capitalize() + "."


def new_prompt(chance: random.Random, words: int = OWN_WORDS) -> str:
    """Of a customer's usual length: a shared beginning, and a rest that is in no prefix cache."""
    return f"{text_of(random.Random(1), SHARED_WORDS)} {text_of(chance, words)}"


async def timed(stream: AsyncIterator[Any], count: Callable[[Any], int]) -> Answer:
    """Reads a stream to its end; `count` says how many tokens came with an output."""
    begun, times, tokens = time.perf_counter(), [], 0
    async for output in stream:
        if number := count(output):
            times.append(time.perf_counter())
            tokens += number
    gaps = [(later - earlier) * 1000 for earlier, later in pairwise(times)]
    return Answer((times[0] - begun) * 1000 if times else 0.0, tokens, gaps)


async def level(streams: int, prompts: Sequence[Ids], one: Callable[[int, Ids], Awaitable[Answer]]) -> dict[str, Any]:
    """The figures of all prompts, `streams` of them at once."""
    slots = asyncio.Semaphore(streams)

    async def run(number: int, ids: Ids) -> Answer:
        async with slots:
            return await one(number, ids)

    begun = time.perf_counter()
    answers = await asyncio.gather(*(run(number, ids) for number, ids in enumerate(prompts)))
    return figures(streams, time.perf_counter() - begun, answers)


def figures(streams: int, seconds: float, answers: Sequence[Answer]) -> dict[str, Any]:
    """Many answers as one row."""
    tokens = sum(each.tokens for each in answers)
    firsts, gaps = [each.first_ms for each in answers], [gap for each in answers for gap in each.gaps_ms]
    return {
        "streams": streams,
        "requests": len(answers),
        "tokens": tokens,
        "seconds": round(seconds, 2),
        "tokens_per_second": round(tokens / seconds, 1),
        "first_token_ms_p50": percentile(firsts, 0.5),
        "first_token_ms_p95": percentile(firsts, 0.95),
        "between_tokens_ms_p50": percentile(gaps, 0.5),
        "between_tokens_ms_p95": percentile(gaps, 0.95),
    }


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which that share lies; None of none."""
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 2) if values else None

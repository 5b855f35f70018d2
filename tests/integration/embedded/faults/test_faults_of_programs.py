"""Valkey and PostgreSQL end while a batch job runs and programs read streams: every item is answered once, nobody hangs."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.embedded.faults.desk import QUESTIONS, REVIVAL_SECONDS, TENANT, TITLES, Desk, until
from tests.integration.embedded.faults.program import Program, Stream

ITEMS = [question for _ in range(5) for question in QUESTIONS]
FIRST_TEXT_SECONDS = 45
BATCH_SECONDS = 150


@pytest_asyncio.fixture
async def program(desk: Desk) -> AsyncIterator[Program]:
    """A program of the company."""
    key = desk.stack.manage("create_api_key", TENANT, "--name", "faults", "--scope", "all").split()[-1]
    program = Program(desk.stack.base_url, key)
    yield program
    await program.close()


async def test_a_batch_job_and_streams_survive_valkey_and_postgresql(desk: Desk, program: Program) -> None:
    await until(desk.is_ready, "readiness before", seconds=REVIVAL_SECONDS)
    batch = await program.submit(ITEMS)
    streams: list[Stream] = []
    reading: list[asyncio.Task[None]] = []
    for title, how in (("Valkey", signal.SIGKILL), ("PostgreSQL", signal.SIGINT)):
        begun = [_begin(program, question, streams, reading) for question in QUESTIONS[:3]]
        await until(lambda: all(each.text or each.error for each in begun), "text", seconds=FIRST_TEXT_SECONDS)  # noqa: B023
        assert all(each.text and not each.is_complete for each in begun), begun
        assert await asyncio.to_thread(desk.items, ended=False) > 0
        others = {name: desk.program(name) for name in TITLES if name != title}
        revived = desk.end(title, how)
        # One that comes in the middle of the fault.
        _begin(program, QUESTIONS[3], streams, reading)
        await until(revived, f"a new {title}", seconds=REVIVAL_SECONDS)
        await until(desk.is_ready, "readiness afterwards", seconds=REVIVAL_SECONDS)
        await asyncio.gather(*reading)
        assert {name: desk.program(name) for name in others} == others
    await until(lambda: desk.items(ended=True) == len(ITEMS), "the whole batch", seconds=BATCH_SECONDS)

    assert [each for each in streams if not each.has_ended_well] == []
    results = await program.results(batch)
    assert sorted(int(result["custom_id"]) for result in results) == list(range(len(ITEMS)))
    assert {(result["state"], result["outcome"]) for result in results} == {("done", "answered")}
    assert len({result["trace_id"] for result in results}) == len(ITEMS)
    assert [(row["status"], row["answers"], row["traces"]) for row in desk.replies_of("batch")] == [
        ("done", 1, 1)
    ] * len(ITEMS)
    for row in desk.replies_of("api"):
        assert row["status"] in {"done", "failed"}
        assert (row["answers"], row["traces"]) == ((1, 1) if row["status"] == "done" else (0, 0)), row


def _begin(program: Program, question: str, streams: list[Stream], reading: list[asyncio.Task[None]]) -> Stream:
    streams.append(Stream())
    reading.append(asyncio.create_task(program.stream(question, streams[-1])))
    return streams[-1]

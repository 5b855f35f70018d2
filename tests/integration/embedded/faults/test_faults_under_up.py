"""Programs of a running desk are ended while eight answers are being written, and while a batch job runs and clients read
streams: it mends itself, nothing is lost, nothing doubled, no customer has to ask again, and nobody hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.integration.embedded.faults.api_client import OutsideClient, Stream
from tests.integration.embedded.faults.customer import Customer, customers, until_all
from tests.integration.embedded.faults.desk import TITLES, Desk, until
from tests.running_stack import start_stack, stop_stack

TENANT = "mossgate"
QUESTIONS = (
    "How much do I have to spend before standard delivery is free?",
    "By what time must express orders be placed?",
    "How long does the heat pack of the winter packaging stay warm?",
    "How many days does a pick-up point keep a parcel?",
    "Why do you not deliver to the United Kingdom?",
    "Which plants are only sent with winter packaging?",
    "Does Mossgate refund the express fee when a parcel is late?",
    "Can another person collect my parcel from a locker?",
)
AFTERWARDS = "What does express delivery cost?"
PAUSE_MILLISECONDS = "200"
LEASE_SECONDS = "8"
ANSWER_SECONDS = 75
REVIVAL_SECONDS = 45
ITEMS = (QUESTIONS * 3)[:20]
BATCH_SECONDS = 150


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """A desk whose engine writes slowly enough that an answer has a middle."""
    data = Path(tempfile.mkdtemp(prefix="glassdesk-faults-"))
    try:
        stack = start_stack(
            data,
            GLASSDESK_ENGINE="scripted",
            GLASSDESK_SCRIPTED_PAUSE=PAUSE_MILLISECONDS,
            GLASSDESK_REPLY_LEASE=LEASE_SECONDS,
        )
        try:
            desk = Desk(stack)
            desk.open_gate()
            yield desk
        finally:
            stop_stack(stack)
    finally:
        shutil.rmtree(data, ignore_errors=True)


@pytest.mark.parametrize(
    ("title", "how"),
    [
        ("Valkey", signal.SIGKILL),
        ("PostgreSQL", signal.SIGKILL),
        ("PostgreSQL", signal.SIGINT),
        ("inference worker", signal.SIGKILL),
        ("web server", signal.SIGKILL),
    ],
    ids=["valkey-killed", "postgresql-killed", "postgresql-restarted", "inference-worker-killed", "web-server-killed"],
)
async def test_a_program_that_ends_in_mid_answer_costs_no_answer(desk: Desk, title: str, how: signal.Signals) -> None:
    await until(desk.is_ready, "readiness before", seconds=REVIVAL_SECONDS)
    async with customers(desk.stack.base_url, TENANT, len(QUESTIONS)) as everybody:
        for customer, question in zip(everybody, QUESTIONS, strict=True):
            await customer.ask(question)
        await until_all(everybody, _is_in_the_middle, "in the middle of an answer", seconds=ANSWER_SECONDS)
        await until(desk.end(title, how), f"a new {title}", seconds=REVIVAL_SECONDS)
        await until_all(everybody, lambda customer: _is_settled(customer, 1), "answered", seconds=ANSWER_SECONDS)
        await until(desk.is_ready, "readiness afterwards", seconds=REVIVAL_SECONDS)
        for customer in everybody:
            await customer.ask(AFTERWARDS)
        await until_all(everybody, lambda customer: _is_settled(customer, 2), "answered again", seconds=ANSWER_SECONDS)
        for customer in everybody:
            _check(desk, customer)


@pytest_asyncio.fixture
async def client(desk: Desk) -> AsyncIterator[OutsideClient]:
    """An API client of the company."""
    key = desk.stack.manage("create_api_key", TENANT, "--name", "faults", "--scope", "all").split()[-1]
    client = OutsideClient(desk.stack.base_url, key)
    yield client
    await client.close()


async def test_a_batch_job_and_streams_survive_valkey_and_postgresql(desk: Desk, client: OutsideClient) -> None:
    await until(desk.is_ready, "readiness before", seconds=REVIVAL_SECONDS)
    batches: list[str] = []
    streams: list[Stream] = []
    reading: list[asyncio.Task[None]] = []
    for title, how in (("Valkey", signal.SIGKILL), ("PostgreSQL", signal.SIGINT)):
        batches.append(await client.submit(ITEMS))
        begun = [_begin(client, question, streams, reading) for question in QUESTIONS[:3]]
        await until(lambda: all(each.text or each.error for each in begun), "text", seconds=ANSWER_SECONDS)  # noqa: B023
        assert any(each.text and not each.is_complete for each in begun), begun
        assert await asyncio.to_thread(desk.items, ended=False) > 0
        others = {name: desk.program(name) for name in TITLES if name != title}
        revived = desk.end(title, how)
        # One that comes in the middle of the fault.
        _begin(client, QUESTIONS[3], streams, reading)
        await until(revived, f"a new {title}", seconds=REVIVAL_SECONDS)
        await until(desk.is_ready, "readiness afterwards", seconds=REVIVAL_SECONDS)
        await asyncio.gather(*reading)
        assert {name: desk.program(name) for name in others} == others
    count = len(batches) * len(ITEMS)
    await until(lambda: desk.items(ended=True) == count, "all items", seconds=BATCH_SECONDS)

    assert [each for each in streams if not each.has_ended_well] == []
    results = [result for batch in batches for result in await client.results(batch)]
    assert sorted(int(result["custom_id"]) for result in results) == sorted([*range(len(ITEMS))] * len(batches))
    assert {(result["state"], result["outcome"]) for result in results} == {("done", "answered")}
    assert len({result["trace_id"] for result in results}) == count
    replies = desk.replies_of("batch")
    assert [(row["status"], row["answers"], row["traces"]) for row in replies] == [("done", 1, 1)] * count
    for row in desk.replies_of("api"):
        assert row["status"] in {"done", "failed"}
        assert (row["answers"], row["traces"]) == ((1, 1) if row["status"] == "done" else (0, 0)), row


def test_after_kill_9_of_everything_it_starts_again_with_all_data(desk: Desk) -> None:
    """The last one here: the desk of the tests above ends with it."""
    first = desk.stack
    questions = desk.questions()
    processes = [psutil.Process(first.process.pid), *psutil.Process(first.process.pid).children(recursive=True)]
    for process in processes:
        # The kernel ends some of them together with their parent.
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=20)
    second = start_stack(first.data, GLASSDESK_ENGINE="scripted")
    children = psutil.Process(second.process.pid).children(recursive=True)
    assert questions > 0
    assert Desk(second).questions() == questions
    assert stop_stack(second) < 15
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []


def _begin(client: OutsideClient, question: str, streams: list[Stream], reading: list[asyncio.Task[None]]) -> Stream:
    streams.append(Stream())
    reading.append(asyncio.create_task(client.stream(question, streams[-1])))
    return streams[-1]


def _is_in_the_middle(customer: Customer) -> bool:
    return any(reply.sequence >= 2 for reply in customer.page.writing.values())


def _is_settled(customer: Customer, questions: int) -> bool:
    """Every question was taken in and has its answer or its failure."""
    page = customer.page
    asked = [entry for entry in page.messages.values() if entry["author"] == "customer"]
    settled = len(page.answers()) + len(page.failures)
    return page.synced and not page.outbox and not page.writing and len(asked) == settled == questions


def _check(desk: Desk, customer: Customer) -> None:
    """The customer sees what is stored, and every question has one answer with one trace."""
    page = customer.page
    replies, stored = desk.conversation(next(iter(page.messages)))
    assert page.failures == {}, replies
    assert page.shown == stored
    assert [author for _, author, _ in stored] == ["customer", "ai", "customer", "ai"]
    assert [(reply["status"], reply["answers"], reply["traces"]) for reply in replies] == [("done", 1, 1)] * 2
    for answer in page.answers():
        assert answer["outcome"] == "answered"
        # An answer that came with a whole transcript replaced nothing.
        assert page.streamed.get(answer["reply"], answer["body"]).strip() == answer["body"]

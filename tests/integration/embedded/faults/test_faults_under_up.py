"""Programs of a running desk are ended while eight answers are being written: it mends itself, nothing is lost, nothing
doubled, and no customer has to ask again.
"""

from __future__ import annotations

import signal

import pytest

from tests.integration.embedded.faults.customer import Customer, customers, until_all
from tests.integration.embedded.faults.desk import QUESTIONS, REVIVAL_SECONDS, TENANT, Desk, until

AFTERWARDS = "What does express delivery cost?"
ANSWER_SECONDS = 75


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

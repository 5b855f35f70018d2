"""What it costs to record what happens: posting a question and storing its answer, with facts and as it was before them.

`python -m bench.facts` starts a PostgreSQL that waits for its disk and a Valkey, and does the same in turns: with facts, or
publishing after the commit and keeping nothing. Prints and writes medians in milliseconds, and the median of the ratios of
neighbouring rounds, to bench/results/facts.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from bench.stacks import ROOT, machine
from helpdesk.embedded.postgres import Postgres
from helpdesk.embedded.valkey import Valkey

RESULTS = Path(__file__).parent / "results" / "facts.json"
MASTER_KEY = "YmVuY2gtb25seS1tYXN0ZXIta2V5LTMyLWJ5dGVzISE="
POSTING, ANSWERING = "post_a_question", "claim_and_store_its_answer"
FACTS, BEFORE = "facts", "before"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--questions", type=int, default=25, help="in each round and way")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    with services():
        times = _measure(options.rounds, options.questions)
    report: dict[str, Any] = {"machine": machine(), "rounds": options.rounds, "questions": options.questions}
    for step in (POSTING, ANSWERING):
        with_facts, before = times[FACTS, step], times[BEFORE, step]
        report[step] = {
            "milliseconds_with_facts": round(median(with_facts), 2),
            "milliseconds_before": round(median(before), 2),
            "ratio": round(median(one / other for one, other in zip(with_facts, before, strict=True)), 3),
        }
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


@contextmanager
def services() -> Iterator[str]:
    """A migrated database and a Valkey, and this process connected to them; the URL of the tables' owner."""
    data = Path(tempfile.mkdtemp(prefix="glassdesk-bench-"))
    postgres, valkey = Postgres(data / "postgres"), Valkey(data / "valkey")
    try:
        urls = postgres.start()
        os.environ |= {
            "GLASSDESK_DATA": str(data),
            "DATABASE_URL": urls.app,
            "REDIS_URL": valkey.start(),
            "GLASSDESK_MASTER_KEY": MASTER_KEY,
            "GLASSDESK_SECRET_KEY": "measuring-only-" * 5,
            "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        }
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
        subprocess.run(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": urls.owner}, check=True)
        import django

        django.setup()
        yield urls.owner
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(data, ignore_errors=True)


def _measure(rounds: int, questions: int) -> dict[tuple[str, str], list[float]]:
    """Milliseconds for each question, a figure for each round, way and step."""
    from conversations.domain import begin_visit
    from conversations.models import Assistant
    from helpdesk.tenants.models import Tenant
    from helpdesk.tenants.scope import tenant_atomic

    tenant = Tenant.objects.create(slug="bench", name="Bench")
    with tenant_atomic(tenant.id):
        Assistant.objects.create(name="Moss")
    times: dict[tuple[str, str], list[float]] = {
        (way, step): [] for way in (FACTS, BEFORE) for step in (POSTING, ANSWERING)
    }
    for number in range(rounds + 1):
        for way in (FACTS, BEFORE) if number % 2 else (BEFORE, FACTS):
            with ExitStack() as stack:
                if way == BEFORE:
                    _publish_as_before(stack)
                visitors = [begin_visit(tenant.id) for _ in range(questions)]
                replies: list[uuid.UUID] = []
                posted = _milliseconds(partial(_ask_all, tenant.id, visitors, replies))
                answered = _milliseconds(partial(_answer_all, tenant.id, replies))
            # The first round finds everything cold.
            if number:
                times[way, POSTING].append(posted / questions)
                times[way, ANSWERING].append(answered / questions)
    return times


def _milliseconds(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return (time.perf_counter() - begun) * 1000


def _ask_all(tenant_id: uuid.UUID, visitor_ids: list[uuid.UUID], replies: list[uuid.UUID]) -> None:
    replies.extend(_ask(tenant_id, visitor_id) for visitor_id in visitor_ids)


def _ask(tenant_id: uuid.UUID, visitor_id: uuid.UUID) -> uuid.UUID:
    from conversations.inbound import from_visitor
    from conversations.intake import receive

    question = from_visitor(
        tenant_id=tenant_id, visitor_id=visitor_id, client_id=uuid.uuid4(), body="How long is delivery?", language="en"
    )
    reply = receive(question).reply
    assert reply is not None
    return reply.id


def _answer_all(tenant_id: uuid.UUID, reply_ids: list[uuid.UUID]) -> None:
    for reply_id in reply_ids:
        _answer(tenant_id, reply_id)


def _answer(tenant_id: uuid.UUID, reply_id: uuid.UUID) -> None:
    """What a worker does in the database, without the trace: that costs the same in both ways."""
    from conversations.models import Outcome
    from conversations.replies import Answer, claim_reply, finish_reply
    from helpdesk.tenants.scope import tenant_atomic

    claimed = claim_reply(tenant_id=tenant_id, reply_id=reply_id, worker="bench")
    assert claimed is not None
    with tenant_atomic(tenant_id):
        finish_reply(claimed.reply, Answer("Three to five working days.", "en", Outcome.ANSWERED))


def _publish_as_before(stack: ExitStack) -> None:
    """Publish after the commit, an entry for the conversation and then one for the inbox, and keep nothing."""
    from django.db import transaction

    from conversations.entries import InboxChanged, to_plain
    from conversations.publishing import entry_of
    from helpdesk.facts.models import Fact
    from helpdesk.facts.recording import record
    from helpdesk.streams.entries import conversation_stream, inbox_stream
    from helpdesk.streams.writer import publish
    from helpdesk.tenants.scope import current_tenant_id

    def record_nothing(kind: str, *, conversation_id: uuid.UUID, subject_id: Any = None, **data: Any) -> None:
        plain = {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in data.items()}
        entry = to_plain(entry_of(Fact(kind=kind, lane=conversation_id, subject_id=subject_id, data=plain)))
        tenant_id = current_tenant_id()

        def publish_both() -> None:
            publish(conversation_stream(tenant_id, conversation_id), entry)
            publish(inbox_stream(tenant_id), to_plain(InboxChanged(conversation=conversation_id)))

        transaction.on_commit(publish_both)

    for module in list(sys.modules.values()):
        if getattr(module, "record", None) is record and module.__name__ != record.__module__:
            stack.enter_context(patch.object(module, "record", record_nothing))


if __name__ == "__main__":
    main()

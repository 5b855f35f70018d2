"""What companies cost that nobody writes to: statements a second in PostgreSQL, with beat and the default worker at work.

`python -m bench.idle` counts with pg_stat_statements for a minute with 10 companies and a minute with 1,000; tasks that beat
starts more seldom are run once each, and their statements are spread over their interval. Then 20 of the 1,000 companies
have a question whose task is lost: how long until the sweep has sent the last one again, alone and beside a company that
has just submitted 10,000 batch items. Writes bench/results/idle.json.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench.stacks import ROOT, free_port, machine
from helpdesk.embedded import processes
from helpdesk.embedded.children import child_environment, children
from helpdesk.embedded.postgres import Postgres
from helpdesk.embedded.valkey import Valkey

RESULTS = Path(__file__).parent / "results" / "idle.json"
SETTLE_SECONDS = 20.0
LOST = 20
ITEMS = 10_000
RECOVERY_SECONDS = 120.0
MASTER_KEY = "YmVuY2gtb25seS1tYXN0ZXIta2V5LTMyLWJ5dGVzISE="


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=10)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each level is counted")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    report: dict[str, Any] = {"machine": machine(), "seconds": options.seconds}
    with _services() as (superuser, environment, data):
        _connect(environment)
        with psycopg.connect(superuser, autocommit=True) as counting, _workers(environment, data):
            for count in (options.few, options.many):
                _fill_up(count)
                report |= _measured(counting, count, options.seconds)
            report["recovered_seconds"] = _recovery(_companies()[:LOST])
            _submit(_companies()[-1])
            report["recovered_seconds_beside_a_batch"] = _recovery(_companies()[LOST : 2 * LOST])
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


@contextmanager
def _services() -> Iterator[tuple[str, dict[str, str], Path]]:
    """A migrated database that counts statements, a Valkey, and the environment of those who use them."""
    data = Path(tempfile.mkdtemp(prefix="glassdesk-bench-"))
    postgres, valkey = Postgres(data / "postgres"), Valkey(data / "valkey")
    try:
        superuser = postgres.start().superuser
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        postgres.stop()
        urls = postgres.start()
        with psycopg.connect(urls.superuser, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
        environment = {
            **os.environ,
            "GLASSDESK_DATA": str(data),
            "DATABASE_URL": urls.app,
            "REDIS_URL": valkey.start(),
            "GLASSDESK_MASTER_KEY": MASTER_KEY,
            "GLASSDESK_SECRET_KEY": "measuring-only-" * 5,
            "GLASSDESK_ENGINE": "scripted",
        }
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
        subprocess.run(command, cwd=ROOT, env=environment | {"DATABASE_URL": urls.owner}, check=True)
        yield urls.superuser, environment, data
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(data, ignore_errors=True)


def _connect(environment: dict[str, str]) -> None:
    """Make this process one that shares the database and Valkey."""
    os.environ |= environment | {"DJANGO_SETTINGS_MODULE": "helpdesk.settings"}
    import django

    django.setup()


@contextmanager
def _workers(environment: dict[str, str], data: Path) -> Iterator[None]:
    """The default worker and beat, as the product starts them."""
    everything = children(
        env=child_environment(environment, {}),
        project=ROOT,
        data=data,
        host="localhost",
        port=free_port(),
        inference_threads=1,
    )
    started = []
    try:
        for child in everything:
            if child.title in ("default worker", "beat"):
                started.append(processes.start(child.arguments, log=child.log, env=child.env, cwd=child.cwd))
        yield
    finally:
        for process in reversed(started):
            processes.stop(process, seconds=10)


def _companies() -> list[uuid.UUID]:
    from helpdesk.tenants.models import Tenant

    return list(Tenant.objects.order_by("slug").values_list("id", flat=True))


def _fill_up(count: int) -> None:
    """Companies with an assistant, until there are that many."""
    from conversations.models import Assistant
    from helpdesk.tenants.models import Tenant
    from helpdesk.tenants.scope import tenant_atomic

    for number in range(Tenant.objects.count(), count):
        tenant = Tenant.objects.create(slug=f"company-{number:05}", name=f"Company {number}")
        with tenant_atomic(tenant.id):
            Assistant.objects.create(name="Moss")


def _measured(counting: psycopg.Connection, count: int, seconds: float) -> dict[str, Any]:
    # Celery's threads and the first run of each task, which may find the new companies.
    time.sleep(SETTLE_SECONDS)
    live = _counted(counting, lambda: time.sleep(seconds)) / seconds
    seldom = {name: _counted(counting, task) / every for name, task, every in _seldom(seconds)}
    return {
        f"statements_per_second_{count}": round(live + sum(seldom.values()), 1),
        f"counted_{count}": round(live, 1),
        f"seldom_{count}": {name: round(each, 2) for name, each in seldom.items()},
    }


def _seldom(seconds: float) -> Iterator[tuple[str, Any, float]]:
    """Tasks that need not have come in the time that is counted, with their intervals."""
    from conversations import tasks

    app = tasks.sweep_replies.app
    app.loader.import_default_modules()
    for name, entry in sorted(app.conf.beat_schedule.items()):
        if entry["schedule"] > seconds:
            task = app.tasks[entry["task"]]
            # The first run begins what is there once for each company, such as its chain; the second one ends that.
            task()
            task()
            yield name, task, entry["schedule"]


def _counted(counting: psycopg.Connection, work: Any) -> int:
    """How many statements the database carried out meanwhile, whoever sent them."""
    counting.execute("SELECT pg_stat_statements_reset()")
    work()
    row = counting.execute("SELECT COALESCE(sum(calls), 0) FROM pg_stat_statements").fetchone()
    assert row is not None
    return int(row[0])


def _recovery(companies: list[uuid.UUID]) -> float:
    """Seconds until the tasks of these companies' questions, all lost, are in the queue again."""
    from conversations.domain import begin_visit
    from conversations.inbound import from_visitor
    from conversations.intake import receive
    from helpdesk.queue.celery import STEP_OF_PRIORITY
    from helpdesk.queue.lengths import list_key, queued_reply_ids
    from helpdesk.streams.writer import client

    wanted = set()
    for tenant_id in companies:
        posted = receive(
            from_visitor(
                tenant_id=tenant_id,
                visitor_id=begin_visit(tenant_id),
                client_id=uuid.uuid4(),
                body="How long does delivery take?",
                language="en",
            )
        )
        assert posted.reply is not None
        wanted.add(str(posted.reply.id))
    for step in STEP_OF_PRIORITY.values():
        client().delete(list_key(step))
    begun = time.perf_counter()
    while not wanted <= queued_reply_ids():
        if time.perf_counter() - begun > RECOVERY_SECONDS:
            raise SystemExit("Not every lost task was sent again.")
        time.sleep(0.1)
    return round(time.perf_counter() - begun, 1)


def _submit(tenant_id: uuid.UUID) -> None:
    """A batch of ITEMS questions."""
    from batches.domain import submit_batch
    from batches.lines import read_json

    items = [{"custom_id": str(number), "question": f"What costs parcel {number}?"} for number in range(ITEMS)]
    submit_batch(tenant_id=tenant_id, submission=read_json(json.dumps({"items": items}).encode()))


if __name__ == "__main__":
    main()

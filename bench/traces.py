"""What traces cost: recording one, storing them, listing a million. `python -m bench.traces` (no engine needed).

Starts embedded PostgreSQL and Valkey in a folder of its own. `--attribution FILE` and `--calibration FILE` add the JSON
that `manage.py evaluate_attribution --json` and `manage.py calibrate_confidence --json` printed; the share of recording
in an answer's time needs bench/results/engine.json. Writes bench/results/traces.json.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.stacks import ROOT, machine
from bench.synthetic_traces import fill, usual_content

RESULTS = Path(__file__).parent / "results"
WRITES = 300
LIST_CALLS = 60
TREND_CALLS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--attribution", type=Path)
    parser.add_argument("--calibration", type=Path)
    arguments = parser.parse_args()
    described = machine()
    folder = Path(tempfile.mkdtemp(prefix="glassdesk-bench-"))
    from helpdesk.embedded.postgres import Postgres
    from helpdesk.embedded.secret_files import master_key
    from helpdesk.embedded.valkey import Valkey

    postgres, valkey = Postgres(folder / "postgres"), Valkey(folder / "valkey")
    try:
        urls = postgres.start()
        os.environ |= {
            "GLASSDESK_DATA": str(folder),
            "DATABASE_URL": urls.app,
            "REDIS_URL": valkey.start(),
            "GLASSDESK_MASTER_KEY": master_key(),
            "GLASSDESK_SECRET_KEY": "benchmark-only-0123456789-0123456789-0123456789",
            "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        }
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity", "0"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": urls.owner},
            check=True,
        )
        import django

        django.setup()
        report = measure(urls.owner, arguments.rows)
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    report |= from_elsewhere(report, arguments)
    for name, value in report.items():
        print(f"{name:<28} {value}" if "plan" not in name else f"{name}\n{value}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "traces.json").write_text(
        json.dumps({**report, "machine": described}, indent=2) + "\n", encoding="utf-8"
    )


def measure(owner_url: str, rows: int) -> dict[str, Any]:
    """Recording, verifying and listing in one company."""
    from helpdesk.tenants.models import Tenant

    tenant = Tenant.objects.create(slug="bench", name="Bench")
    report = measure_recording(tenant.id)
    many = Tenant.objects.create(slug="many", name="Many")
    fill(owner_url, many.id, rows)
    report |= measure_lists(many.id, rows)
    return report


def measure_recording(tenant_id: uuid.UUID) -> dict[str, Any]:
    """One trace of usual size after the other, each in its own transaction with its answer's rows."""
    from conversations.domain import begin_visit
    from conversations.inbound import from_visitor
    from conversations.intake import receive
    from conversations.models import Assistant, Outcome
    from conversations.replies import Answer, claim_reply, finish_reply
    from helpdesk.tenants.scope import tenant_atomic
    from tracing.models import Trace
    from tracing.record import TraceRecord, record_trace
    from tracing.verify import verify_chain

    with tenant_atomic(tenant_id):
        Assistant.objects.create(name="Bench")
    record = TraceRecord(content=usual_content(), outcome=Outcome.ANSWERED, total_ms=4000.0)
    with_trace: list[float] = []
    without: list[float] = []
    for number in range(WRITES):
        posted = receive(
            from_visitor(
                tenant_id=tenant_id,
                visitor_id=begin_visit(tenant_id),
                client_id=uuid.uuid4(),
                body="How long does delivery take?",
                language="en",
            )
        )
        assert posted.reply
        claimed = claim_reply(tenant_id=tenant_id, reply_id=posted.reply.id, worker="bench")
        assert claimed
        begun = time.perf_counter()
        with tenant_atomic(tenant_id):
            finish_reply(claimed.reply, Answer(body="Two days.", language="en", outcome=Outcome.ANSWERED))
            if number % 2 == 0:
                record_trace(claimed.reply, record)
        (without if number % 2 else with_trace).append((time.perf_counter() - begun) * 1000)
    with tenant_atomic(tenant_id):
        sizes = list(Trace.objects.values_list("content_bytes", "sealed_bytes"))
        begun = time.perf_counter()
        verification = verify_chain(None)
        seconds = time.perf_counter() - begun
    assert verification.is_sound
    return {
        "record_ms_p50": round(median(with_trace) - median(without), 3),
        "store_with_trace_ms_p50": round(median(with_trace), 3),
        "store_without_trace_ms_p50": round(median(without), 3),
        "writes_per_second": round(1000 / median(with_trace), 1),
        "bytes_per_trace": round(sum(sealed for _, sealed in sizes) / len(sizes)),
        "bytes_per_trace_before_sealing": round(sum(plain for plain, _ in sizes) / len(sizes)),
        "verify_rows_per_second": round(len(sizes) / seconds),
    }


def measure_lists(tenant_id: uuid.UUID, rows: int) -> dict[str, Any]:
    """Pages as the desk shows them, as the restricted role, with filters that many and few rows pass."""
    from datetime import timedelta

    from django.core.cache import cache
    from django.utils import timezone

    from helpdesk.tenants.scope import tenant_atomic
    from tracing.queries import TraceFilter, filtered_traces, models_seen, trace_page
    from tracing.trends import PERIODS, counted_by_day, days_of

    chance = random.Random(2)
    some_day = timezone.localdate() - timedelta(days=250)
    shapes: dict[str, TraceFilter] = {
        "all": TraceFilter(),
        "low": TraceFilter(band="low"),
        "stopped": TraceFilter(outcome="stopped"),
        "clarifying": TraceFilter(kind="clarifying"),
        "rare_model": TraceFilter(model="rare"),
        "rare_and_low": TraceFilter(model="rare", band="low"),
        "chinese_low": TraceFilter(language="zh", band="low"),
        "one_day": TraceFilter(since=some_day, until=some_day),
        "rated_down": TraceFilter(feedback="down"),
        "rated_up_and_low": TraceFilter(feedback="up", band="low"),
        "not_rated": TraceFilter(feedback="none"),
        "low_in_a_week": TraceFilter(band="low", since=some_day, until=some_day + timedelta(days=6)),
    }

    def page(wanted: TraceFilter) -> Callable[[], Any]:
        def call() -> None:
            with tenant_atomic(tenant_id):
                trace_page(wanted, before=chance.choice([None, chance.randrange(1, rows)]))

        return call

    report: dict[str, Any] = {}
    everything: list[float] = []
    for name, wanted in shapes.items():
        times = [timed(page(wanted)) for _ in range(LIST_CALLS)]
        everything += times
        report[f"list_{name}_ms_p95"] = round(quantiles(times, n=20)[-1], 2)
    with tenant_atomic(tenant_id):
        report["models_ms"] = round(timed(models_seen), 2)
        for period in PERIODS:
            times = []
            for _ in range(TREND_CALLS):
                cache.clear()
                times.append(timed(partial(days_of, TraceFilter(), period=period)))
            report[f"trends_{period}_days_ms_p50"] = round(median(times), 1)
        first_day = timezone.localdate() - timedelta(days=max(PERIODS) - 1)
        report["query_plan"] = explained(filtered_traces(TraceFilter(band="low")).order_by("-sequence")[:51])
        rated = filtered_traces(TraceFilter(feedback="down")).order_by("-sequence")[:51]
        report["query_plan_of_feedback"] = explained(rated)
        report["query_plan_of_trends"] = explained(counted_by_day(TraceFilter(), first_day))
    return {
        "rows": rows,
        "list_p95_ms_1m" if rows == 1_000_000 else f"list_p95_ms_{rows}": round(quantiles(everything, n=20)[-1], 2),
        **report,
    }


def explained(rows: Any) -> str:
    """The plan that the database ran."""
    from django.db import connection

    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF) " + sql, parameters)
        return "\n".join(line for (line,) in cursor.fetchall())


def timed(call: Callable[[], Any]) -> float:
    """Milliseconds of one call."""
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def from_elsewhere(report: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    """Figures that other commands measured with the engine."""
    found: dict[str, Any] = {}
    engine = RESULTS / "engine.json"
    if engine.is_file():
        answer_ms = json.loads(engine.read_text(encoding="utf-8"))["product_1"]["total_ms_p50"]
        found["record_share"] = round(report["record_ms_p50"] / answer_ms, 5)
        found["answer_ms_p50"] = answer_ms
    if arguments.attribution:
        measured = json.loads(arguments.attribution.read_text(encoding="utf-8"))
        found["attribution_ms"] = measured.get("attribution_ms_p50")
        found |= {name: measured.get(name) for name in ("attribution_top1", "similarity_top1", "rank_top1")}
        found |= {name: value for name, value in measured.items() if name.startswith("drop_")}
    if arguments.calibration:
        error = json.loads(arguments.calibration.read_text(encoding="utf-8"))["expected_calibration_error"]
        found["ece_dev"] = None if math.isnan(error) else round(error, 4)
    return found


if __name__ == "__main__":
    main()

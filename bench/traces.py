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
    from conversations.domain import begin_visit, post_customer_message
    from conversations.models import Assistant, Outcome
    from conversations.replies import Answer, claim_reply, finish_reply
    from helpdesk.tenants.scope import tenant_atomic
    from tracing.models import Trace
    from tracing.record import TraceRecord, record_trace
    from tracing.verify import verify_chain

    with tenant_atomic(tenant_id):
        Assistant.objects.create(name="Bench")
    record = TraceRecord(content=usual_content(), outcome=Outcome.ANSWERED, total_ms=4000.0)
    with_trace, without = [], []
    for number in range(WRITES):
        posted = post_customer_message(
            tenant_id=tenant_id,
            visitor_id=begin_visit(tenant_id),
            client_id=uuid.uuid4(),
            body="How long does delivery take?",
            language="en",
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
        verification = verify_chain()
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


def usual_content() -> Any:
    """A content of the size of the demo companies' answers: 560 prompt tokens, 12 candidates, 56 answer tokens."""
    from tracing.confidence import assess
    from tracing.content import (
        Candidate,
        EngineRecord,
        PromptRecord,
        PromptTurn,
        SamplingRecord,
        Score,
        Selection,
        StepRecord,
        TokenAlternative,
        TokenRecord,
        TraceContent,
    )

    chance = random.Random(1)
    words = [f"w{chance.randrange(4000)}" for _ in range(3000)]

    def text(count: int) -> str:
        return " ".join(chance.choice(words) for _ in range(count))

    def token(number: int) -> TokenRecord:
        others = tuple(
            TokenAlternative(chance.randrange(49152), f" {chance.choice(words)}", -chance.random() * 9)
            for _ in range(5)
        )
        return TokenRecord(chance.randrange(49152), f" {chance.choice(words)}", -chance.random() * 3, 1, others)

    candidates = tuple(
        Candidate(
            chunk=str(uuid.UUID(int=chance.getrandbits(128))),
            article=str(uuid.UUID(int=chance.getrandbits(128))),
            version=1,
            slug=f"article-{number}",
            title=text(4),
            heading=text(3),
            language="en",
            text=text(110),
            dense=Score(chance.random(), number + 1),
            lexical=Score(chance.random(), number + 1),
            fused=Score(chance.random(), number + 1),
            used=number < 3,
        )
        for number in range(12)
    )
    tokens = tuple(token(number) for number in range(56))
    selection = Selection(answerable=True, score=0.97, threshold=0.5, margin=0.1)
    prompt = text(420)
    return TraceContent(
        question=text(9),
        language="en",
        style="quote",
        answer="".join(each.text for each in tokens).strip(),
        confidence=assess(selection=selection, candidates=candidates, tokens=tokens),
        steps=tuple(
            StepRecord(name, 1.0, 2.0) for name in ("embed", "retrieve", "select", "prompt", "decode", "store")
        ),
        prompt=PromptRecord(
            prompt, tuple(chance.randrange(49152) for _ in range(560)), "bench", (PromptTurn("user", prompt),)
        ),
        tokens=tokens,
        sampling=SamplingRecord(max_tokens=128, temperature=0.0, top_p=1.0, seed=0, top_logprobs=5),
        engine=EngineRecord(
            model="bench",
            revision="1",
            quantization="int4",
            engine="vllm",
            engine_version="0",
            device="cpu",
            max_model_len=2048,
        ),
        candidates=candidates,
        selection=selection,
    )


def fill(owner_url: str, tenant_id: uuid.UUID, rows: int) -> None:
    """Synthetic traces by SQL: plain columns like real ones, payloads of 2 kB of noise. Foreign keys are not checked."""
    import psycopg

    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute("ALTER TABLE tracing_trace DISABLE TRIGGER USER")
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", (str(tenant_id),))
        constraints = connection.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid = 'tracing_trace'::regclass AND contype = 'f'"
        ).fetchall()
        for name, _ in constraints:
            connection.execute(f'ALTER TABLE tracing_trace DROP CONSTRAINT "{name}"')
        columns = {
            name
            for (name,) in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'tracing_trace'"
            )
        }
        values = synthetic_columns(tenant_id, rows)
        assert set(values) == columns, columns ^ set(values)
        names = ", ".join(f'"{name}"' for name in values)
        connection.execute(
            f"INSERT INTO tracing_trace ({names}) SELECT {', '.join(values.values())} "
            f"FROM (SELECT g, random() AS r, random() AS r1, random() AS r2, random() AS r3 "
            f"FROM generate_series(1, {rows}) AS g) AS rows"
        )
        fill_feedback(connection, tenant_id)
        connection.execute("VACUUM ANALYZE tracing_trace")
        connection.execute("VACUUM ANALYZE conversations_feedback")


def fill_feedback(connection: Any, tenant_id: uuid.UUID) -> None:
    """One answer in ten is rated, one in fifty down."""
    for (name,) in connection.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'conversations_feedback'::regclass AND contype = 'f'"
    ).fetchall():
        connection.execute(f'ALTER TABLE conversations_feedback DROP CONSTRAINT "{name}"')
    connection.execute(
        "INSERT INTO conversations_feedback "
        "(id, tenant_id, reply_id, given_by, rating, reason, comment, created_at, updated_at) "
        "SELECT gen_random_uuid(), tenant_id, reply_id, 'customer', "
        "CASE WHEN sequence %% 50 = 0 THEN 'down' ELSE 'up' END, '', '', created_at, created_at "
        "FROM tracing_trace WHERE tenant_id = %s AND sequence %% 10 = 0",
        (str(tenant_id),),
    )


def synthetic_columns(tenant_id: uuid.UUID, rows: int) -> dict[str, str]:
    """SQL for each column; `g` counts, `r` to `r3` are random. One answer in 2,000 comes from a model that is seldom used."""
    payload = "decode(repeat(md5(g::text), 64), 'hex')"
    zero = "decode('00', 'hex')"
    numbers = "attempt prompt_tokens cached_prompt_tokens answer_tokens candidate_count source_count"
    times = "queue_ms retrieve_ms first_token_ms total_ms content_bytes sealed_bytes"
    return {
        "id": "gen_random_uuid()",
        "tenant_id": f"'{tenant_id}'::uuid",
        "reply_id": "gen_random_uuid()",
        "conversation_id": "gen_random_uuid()",
        "key_id": "gen_random_uuid()",
        "sequence": "g",
        "chain": zero,
        "created_at": f"now() - ({rows} - g) * interval '27 seconds'",
        "outcome": "CASE WHEN r < .9 THEN 'answered' WHEN r < .999 THEN 'refused' ELSE 'stopped' END",
        "kind": "CASE WHEN r < .8 THEN 'direct' WHEN r < .9 THEN 'partial' WHEN r < .9995 THEN 'refusal' ELSE 'clarifying' END",
        "style": "'quote'",
        "language": "CASE WHEN r1 < .7 THEN 'en' ELSE 'zh' END",
        "channel": "'widget'",
        "cache": "CASE WHEN r3 < .2 THEN 'exact' ELSE '' END",
        "cached_from": "NULL::uuid",
        "saved_tokens": "0",
        "model": "CASE WHEN r2 < .9995 THEN 'packaged' ELSE 'rare' END",
        "quantization": "'int4'",
        "confidence_band": "CASE WHEN r3 < .5 THEN 'high' WHEN r3 < .95 THEN 'medium' ELSE 'low' END",
        "finish_reason": "'stop'",
        **dict.fromkeys(numbers.split(), "1"),
        **dict.fromkeys(times.split(), "(r * 1000)::int"),
        "steps": "'[]'::jsonb",
        "format": "2",
        "sealed": payload,
        "sealed_prompt": payload,
        "sealed_digest": zero,
        "sealed_prompt_digest": zero,
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

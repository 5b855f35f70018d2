"""Traces for measurements: one of usual size with all its contents, and any number of rows by SQL."""

from __future__ import annotations

import random
import uuid
from typing import Any


def usual_content() -> Any:
    """A content of the size of the demo companies' answers: 560 prompt tokens, 12 candidates, 56 answer tokens."""
    from tracing.confidence import assess
    from tracing.content import (
        CandidateRecord,
        EngineRecord,
        PromptRecord,
        PromptTurn,
        SamplingRecord,
        ScoreRecord,
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
        CandidateRecord(
            chunk=str(uuid.UUID(int=chance.getrandbits(128))),
            article=str(uuid.UUID(int=chance.getrandbits(128))),
            version=1,
            slug=f"article-{number}",
            title=text(4),
            heading=text(3),
            language="en",
            text=text(110),
            scores={name: ScoreRecord(chance.random(), number + 1) for name in ("dense", "lexical", "fused")},
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
        values = _later_columns(connection) | synthetic_columns(tenant_id, rows)
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


def _later_columns(connection: Any) -> dict[str, str]:
    """Columns that the measurement does not vary hold what the migrations gave to older rows."""
    from psycopg import sql

    from tracing.columns import COLUMNS

    return {column.name: sql.Literal(column.before).as_string(connection) for column in COLUMNS if column.since > 1}


def synthetic_columns(tenant_id: uuid.UUID, rows: int) -> dict[str, str]:
    """SQL for each column that varies; `g` counts, `r` to `r3` are random. One answer in 2,000 is of a model seldom used."""
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
        "model": "CASE WHEN r2 < .9995 THEN 'packaged' ELSE 'rare' END",
        "quantization": "'int4'",
        "confidence_band": "CASE WHEN r3 < .5 THEN 'high' WHEN r3 < .95 THEN 'medium' ELSE 'low' END",
        "finish_reason": "'stop'",
        **dict.fromkeys(numbers.split(), "1"),
        **dict.fromkeys(times.split(), "(r * 1000)::int"),
        "steps": "'[]'::jsonb",
        "format": "4",
        "sealed": payload,
        "sealed_prompt": payload,
        "sealed_digest": zero,
        "sealed_prompt_digest": zero,
    }

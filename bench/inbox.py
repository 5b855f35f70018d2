"""How quickly the desk answers for a company with many conversations: the inbox in every queue, its search, and reports.

`python -m bench.inbox` starts a PostgreSQL and a Valkey, makes a company with 200,000 conversations (one in 16 of them open) of
ten messages each, adds up the figures of its days, and asks for the pages as a browser does. Prints and writes percentiles in
milliseconds to bench/results/inbox.json.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import UUID

import psycopg

from bench.facts import services
from bench.stacks import machine

RESULTS = Path(__file__).parent / "results" / "inbox.json"
# Words by rank: the first ones stand in most conversations, the last ones in a few.
VOCABULARY, WORDS_EACH = 20_000, 60
SEARCHES = {
    "common": "w0", "frequent": "w40", "seldom": "w9000", "unique": "u77777", "two": "w0 w900", "none": "nowhere",
    "chinese": "退款",
}  # fmt: skip
_CONVERSATIONS = """
    INSERT INTO conversations_conversation (id, tenant_id, visitor_id, assistant_id, channel, status, language, assignee_id,
        waiting_since, created_at, last_message_at, last_author, preview, message_count, parked, priority)
    SELECT gen_random_uuid(), %(tenant)s, %(visitor)s, %(assistant)s, 'widget',
        CASE WHEN n %% 16 > 0 THEN 'closed' WHEN n %% 160 = 0 THEN 'waiting' WHEN n %% 64 = 0 THEN 'person' ELSE 'ai' END,
        CASE WHEN n %% 3 = 0 THEN 'zh' ELSE 'en' END, CASE WHEN n %% 64 = 0 THEN %(agent)s END,
        CASE WHEN n %% 160 = 0 THEN now() - n * interval '1 second' END,
        now() - n * interval '1 minute', now() - n * interval '1 minute', 'customer', 'How long does delivery take?', 10, '',
        CASE WHEN n %% 50 = 0 THEN 'urgent' ELSE 'normal' END
    FROM generate_series(1, %(count)s) AS n
"""
_WORDS = """
    INSERT INTO conversations_conversationtext (id, tenant_id, conversation_id, words)
    SELECT gen_random_uuid(), %(tenant)s, c.id, array_to_tsvector(ARRAY(
        SELECT DISTINCT 'w' || floor(%(vocabulary)s * power(random(), 4))::int FROM generate_series(1, %(words)s)
        WHERE c.id IS NOT NULL
    ) || ARRAY['u' || row_number() OVER (), CASE WHEN random() < 0.02 THEN '退款' ELSE '订单' END])
    FROM conversations_conversation AS c
"""


# Two questions and answers of the AI, then in one of four a person; two thirds are closed by hand.
_MESSAGES = """
    INSERT INTO conversations_message (id, tenant_id, conversation_id, position, author, user_id, body, format, language, sources,
        outcome, kind, confidence_band, cache, created_at)
    SELECT gen_random_uuid(), %(tenant)s, c.id, position,
        CASE WHEN is_closing THEN 'system' WHEN position %% 2 = 1 THEN 'customer' WHEN has_person THEN 'person' ELSE 'ai' END,
        CASE WHEN is_closing OR (has_person AND position %% 2 = 0) THEN (%(agents)s)[1 + c.n %% %(count_of_agents)s] END,
        CASE WHEN is_closing THEN 'closed' ELSE 'How long does delivery to the islands take?' END, 'plain', c.language, '[]',
        CASE WHEN position %% 2 = 1 OR is_closing OR has_person THEN '' WHEN c.n %% 9 = 0 THEN 'refused' ELSE 'answered' END,
        '', '', '', c.created_at + position * position * interval '9 seconds'
    FROM (
        SELECT *, row_number() OVER (ORDER BY id) AS n FROM conversations_conversation WHERE message_count = 10
        ORDER BY id LIMIT %(portion)s OFFSET %(offset)s
    ) AS c, LATERAL (
        SELECT position, position = 10 AND c.n %% 3 > 0 AS is_closing, position > 4 AND c.n %% 4 = 0 AS has_person
        FROM generate_series(1, 10) AS position
    ) AS each
"""
_HAND_OFFS = """
    INSERT INTO conversations_handoff (id, tenant_id, conversation_id, reason, began_at, alarm_at, ended_at, "end", taken_by_id)
    SELECT gen_random_uuid(), %(tenant)s, id, (ARRAY['requested', 'refused', 'complaint', 'low_confidence'])[1 + n %% 4],
        created_at + interval '3 minutes', created_at + interval '8 minutes',
        created_at + n %% 50 * interval '1 minute' + interval '4 minutes',
        CASE WHEN n %% 24 = 0 THEN 'cancelled' ELSE 'taken' END,
        CASE WHEN n %% 24 > 0 THEN (%(agents)s)[1 + n %% %(count_of_agents)s] END
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM conversations_conversation) AS c WHERE n %% 4 = 0
"""
_RATINGS = """
    WITH rated AS (
        INSERT INTO conversations_reply (id, tenant_id, conversation_id, question_id, answer_id, purpose, variant, status,
            attempt, worker, stop_requested, priority_class, priority, parameters, error_code, queued_at, deadline_at)
        SELECT gen_random_uuid(), %(tenant)s, asked.conversation_id, asked.id, answer.id, 'answer', '', 'done',
            1, '', false, 0, 0, '{}', '', asked.created_at, answer.created_at
        FROM conversations_message AS asked JOIN conversations_message AS answer
            ON answer.conversation_id = asked.conversation_id AND answer.position = 2
        WHERE asked.position = 1 AND get_byte(uuid_send(asked.id), 0) < 32 RETURNING *
    )
    INSERT INTO conversations_feedback (id, tenant_id, reply_id, given_by, rating, reason, comment, created_at, updated_at)
    SELECT gen_random_uuid(), tenant_id, id, 'customer', CASE WHEN random() < 0.8 THEN 'up' ELSE 'down' END, '', '',
        queued_at + interval '5 minutes', now() FROM rated
"""
_LABELS = """
    INSERT INTO conversations_labelling (id, tenant_id, conversation_id, label_id)
    SELECT gen_random_uuid(), %(tenant)s, id, (%(labels)s)[1 + n %% 10]
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM conversations_conversation) AS c WHERE n %% 2 = 0
"""
PORTION, AGENTS, LABELS = 20_000, 20, 10
REPORTS = {
    "7 days": 7, "30 days": 30, "90 days": 90, "365 days": 365, "30 days, labelled": 30, "30 days, zh, website": 30,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    with services() as owner_url:
        times, made = _measure(owner_url, options.conversations, options.rounds)
    lists = [each for name, found in times.items() if name.startswith("queue ") for each in found]
    searches = [each for name, found in times.items() if name.startswith("search ") for each in found]
    reports = [each for name, found in times.items() if name.startswith("report ") for each in found]
    report: dict[str, Any] = {
        "machine": machine(),
        "conversations": options.conversations,
        "messages": options.conversations * 10,
        "rounds": options.rounds,
        "list_p95_ms": _p95(lists),
        "search_p95_ms": _p95(searches),
        "report_p95_ms": _p95(reports),
        **made,
        "p95_ms": {name: _p95(found) for name, found in times.items()},
    }
    options.output.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2, ensure_ascii=False))


def _p95(found: list[float]) -> float:
    return round(quantiles(found, n=20)[-1], 1)


def _measure(owner_url: str, count: int, rounds: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    from django.db import connection
    from django.test import Client

    from conversations.inbox.queues import QUEUES

    slug, agent, label, made = _company(owner_url, count)
    client = Client(SERVER_NAME="localhost")
    client.force_login(agent)
    rows = f"/desk/{slug}/inbox/rows/"
    asked = {f"queue {name}": (rows, {"filter": name}) for name in QUEUES}
    asked |= {f"search {name}": (rows, {"q": text}) for name, text in SEARCHES.items()}
    asked["filtered"] = (rows, {"filter": "closed", "priority": "urgent", "language": "zh"})
    for name, days in REPORTS.items():
        query = {"since": str(datetime.now(UTC).date() - timedelta(days=days - 1))}
        query |= {"label": label} if "labelled" in name else {}
        query |= {"language": "zh", "channel": "widget"} if "zh" in name else {}
        asked[f"report {name}"] = (f"/desk/{slug}/reports/", query)
    times: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(rounds + 1):
        for name, (path, query) in asked.items():
            begun = time.perf_counter()
            response = client.get(path, query)
            took = (time.perf_counter() - begun) * 1000
            if response.status_code != 200:
                raise SystemExit(f"{name}: {response.status_code}")
            # The first round finds everything cold.
            if number:
                times[name].append(took)
    connection.close()
    return times, made


def _company(owner_url: str, count: int) -> tuple[str, Any, str, dict[str, float]]:
    from django.db import connection

    from conversations.models import Assistant, Label, Visitor
    from helpdesk.permissions import Role
    from helpdesk.tenants.models import Tenant
    from helpdesk.tenants.scope import tenant_atomic
    from helpdesk.users.models import Membership, User

    tenant = Tenant.objects.create(slug="bench", name="Bench")
    people = [
        User.objects.create_user(f"agent{number}@bench.example", "measuring-only", name=f"Agent {number}")
        for number in range(AGENTS)
    ]
    with tenant_atomic(tenant.id), connection.cursor() as cursor:
        for person in people:
            Membership.objects.create(user=person, role=Role.OWNER if person is people[0] else Role.AGENT)
        assistant, visitor = Assistant.objects.create(name="Moss"), Visitor.objects.create()
        labels = [Label.objects.create(name=f"Label {number}").id for number in range(LABELS)]
        known = {
            "tenant": tenant.id, "visitor": visitor.id, "assistant": assistant.id, "agent": people[0].id, "count": count,
            "agents": [person.id for person in people], "count_of_agents": AGENTS, "labels": labels, "portion": PORTION,
        }  # fmt: skip
        cursor.execute(_CONVERSATIONS, known)
        cursor.execute(_WORDS, known | {"vocabulary": VOCABULARY, "words": WORDS_EACH})
    # In portions: foreign keys are checked when a transaction ends, and remembered until then.
    for offset in range(0, count, PORTION):
        with tenant_atomic(tenant.id), connection.cursor() as cursor:
            cursor.execute(_MESSAGES, known | {"offset": offset})
    for statement in (_HAND_OFFS, _RATINGS, _LABELS):
        with tenant_atomic(tenant.id), connection.cursor() as cursor:
            cursor.execute(statement, known)
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("ANALYZE")
    return tenant.slug, people[0], str(labels[0]), _add_up(tenant.id)


def _add_up(tenant_id: UUID) -> dict[str, float]:
    """All days, as a company has that upgrades; what one takes."""
    from reports.adding_up import rebuild

    begun = time.perf_counter()
    days = sum(1 for _ in rebuild(tenant_id))
    seconds = time.perf_counter() - begun
    return {"days": days, "day_added_up_ms": round(seconds / max(days, 1) * 1000, 1)}


if __name__ == "__main__":
    main()

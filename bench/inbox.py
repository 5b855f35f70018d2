"""How quickly the inbox answers for a company with many conversations: its list in every queue, and its search.

`python -m bench.inbox` starts a PostgreSQL and a Valkey, makes a company with 200,000 conversations (one in 16 of them open) and
the words of ten messages in each, and asks for the list as an agent's browser does. Prints and writes percentiles in
milliseconds to bench/results/inbox.json.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    with services() as owner_url:
        times = _measure(owner_url, options.conversations, options.rounds)
    lists = [each for name, found in times.items() if name.startswith("queue ") for each in found]
    searches = [each for name, found in times.items() if name.startswith("search ") for each in found]
    report: dict[str, Any] = {
        "machine": machine(),
        "conversations": options.conversations,
        "rounds": options.rounds,
        "list_p95_ms": _p95(lists),
        "search_p95_ms": _p95(searches),
        "p95_ms": {name: _p95(found) for name, found in times.items()},
    }
    options.output.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2, ensure_ascii=False))


def _p95(found: list[float]) -> float:
    return round(quantiles(found, n=20)[-1], 1)


def _measure(owner_url: str, count: int, rounds: int) -> dict[str, list[float]]:
    from django.db import connection
    from django.test import Client

    from conversations.inbox.queues import QUEUES

    slug, agent = _company(owner_url, count)
    client = Client(SERVER_NAME="localhost")
    client.force_login(agent)
    asked = {f"queue {name}": {"filter": name} for name in QUEUES}
    asked |= {f"search {name}": {"q": text} for name, text in SEARCHES.items()}
    asked["filtered"] = {"filter": "closed", "priority": "urgent", "language": "zh"}
    times: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(rounds + 1):
        for name, query in asked.items():
            begun = time.perf_counter()
            response = client.get(f"/desk/{slug}/inbox/rows/", query)
            took = (time.perf_counter() - begun) * 1000
            if response.status_code != 200:
                raise SystemExit(f"{name}: {response.status_code}")
            # The first round finds everything cold.
            if number:
                times[name].append(took)
    connection.close()
    return times


def _company(owner_url: str, count: int) -> tuple[str, Any]:
    from django.db import connection

    from conversations.models import Assistant, Visitor
    from helpdesk.permissions import Role
    from helpdesk.tenants.models import Tenant
    from helpdesk.tenants.scope import tenant_atomic
    from helpdesk.users.models import Membership, User

    tenant = Tenant.objects.create(slug="bench", name="Bench")
    agent = User.objects.create_user("agent@bench.example", "measuring-only", name="Agent")
    with tenant_atomic(tenant.id), connection.cursor() as cursor:
        Membership.objects.create(user=agent, role=Role.AGENT)
        assistant, visitor = Assistant.objects.create(name="Moss"), Visitor.objects.create()
        known = {
            "tenant": tenant.id,
            "visitor": visitor.id,
            "assistant": assistant.id,
            "agent": agent.id,
            "count": count,
        }
        cursor.execute(_CONVERSATIONS, known)
        cursor.execute(_WORDS, known | {"vocabulary": VOCABULARY, "words": WORDS_EACH})
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("ANALYZE conversations_conversation, conversations_conversationtext")
    return tenant.slug, agent


if __name__ == "__main__":
    main()

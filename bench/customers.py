"""Customers of the demo companies for measurements: made without the web server, which limits one address."""

from __future__ import annotations

import json
import re
import time
import urllib.request
import uuid
from functools import cache

from bench.stacks import ROOT, Stack

COMPANIES = ("mossgate", "ledgerleaf")
QUESTIONS = ROOT / "helpdesk" / "demo" / "content"


def demo_questions(count: int) -> list[tuple[str, str]]:
    """(company, question), companies and languages mixed, each at most once."""
    piles = [[(company, question) for question in english_questions(company)] for company in COMPANIES]
    mixed = [pair for pairs in zip(*piles, strict=False) for pair in pairs]
    if len(mixed) < count:
        raise SystemExit(f"The demo content has {len(mixed)} questions; ask for at most as many.")
    return mixed[:count]


def english_questions(company: str) -> list[str]:
    """The company's questions that its articles answer."""
    given = json.loads((QUESTIONS / company / "questions.json").read_text(encoding="utf-8"))["answerable"]
    return [entry["question"] for entry in given if entry["language"] == "en"]


def waiting_visitors(desk: Stack, count: int) -> list[tuple[str, str]]:
    """Customers with a conversation that nobody writes in: they wait for a person."""
    desk.connect()
    from conversations.domain import begin_visit
    from conversations.intake import ask_for_person

    found = []
    for number in range(count):
        company = COMPANIES[number % len(COMPANIES)]
        tenant_id = _tenant_id(company)
        visitor_id = begin_visit(tenant_id)
        ask_for_person(tenant_id=tenant_id, visitor_id=visitor_id, language="en")
        found.append((company, _token(tenant_id, visitor_id)))
    return found


def visitors(desk: Stack, questions: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """A new customer for each question."""
    desk.connect()
    from conversations.domain import begin_visit

    return [
        (company, question, _token(_tenant_id(company), begin_visit(_tenant_id(company))))
        for company, question in questions
    ]


def api_keys(desk: Stack) -> dict[str, str]:
    """A key of each company for asking, with a limit that no measurement reaches."""
    desk.connect()
    from helpdesk.api_keys.domain import MOST_REQUESTS_PER_MINUTE, create_key
    from helpdesk.api_keys.scopes import Scope

    return {
        company: create_key(
            tenant_id=_tenant_id(company),
            name="bench",
            scopes=[Scope.ANSWERS_WRITE],
            requests_per_minute=MOST_REQUESTS_PER_MINUTE,
        ).text
        for company in COMPANIES
    }


def subprotocols(host: str, company: str, token: str) -> list[str]:
    """What the widget offers with its socket: a ticket comes with the frame's page, and lasts for some minutes."""
    return ["glassdesk.v1", f"visitor.{token}", f"origin.{_ticket(host, company, int(time.monotonic()) // 300)}"]


@cache
def _ticket(host: str, company: str, _period: int) -> str:
    with urllib.request.urlopen(f"http://{host}/widget/{company}/frame", timeout=30) as response:
        found = re.search('data-ticket="([^"]+)"', response.read().decode())
    # A checkout from before there were tickets asks for none.
    return found[1] if found else ""


def _tenant_id(company: str) -> uuid.UUID:
    from helpdesk.tenants.models import Tenant

    return Tenant.objects.get(slug=company).id


def _token(tenant_id: uuid.UUID, visitor_id: uuid.UUID) -> str:
    from conversations.identity.visitors import VisitorIdentity, issue_token

    return issue_token(VisitorIdentity(tenant_id, visitor_id))

"""Earlier conversations in the chat: their own visitor reads them, nobody else does, and a list costs what it costs."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations import domain
from conversations.earlier import PAGE
from conversations.identity.visitors import VisitorIdentity, issue_token
from conversations.models import Channel, Conversation
from conversations.widget.views import HistoryThrottle
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant
from tracing.forget import forget_conversation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def visitor(tenant: Tenant) -> uuid.UUID:
    return domain.begin_visit(tenant.id)


def begin(tenant: Tenant, visitor: uuid.UUID, body: str = "How long does delivery take?") -> Conversation:
    conversation, _, _ = make_question(tenant, body, visitor_id=visitor)
    domain.close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)
    return conversation


def get(tenant: Tenant, path: str, visitor: uuid.UUID | None) -> Any:
    headers = {"Authorization": f"Bearer {issue_token(VisitorIdentity(tenant.id, visitor))}"} if visitor else {}
    return Client().get(f"/widget/{tenant.slug}/conversations{path}", headers=headers)


def test_a_visitor_lists_and_reads_their_own_conversations_the_latest_first(tenant, visitor):
    first, second = begin(tenant, visitor, "Do you ship abroad?"), begin(tenant, visitor, "What does it cost?")
    response = get(tenant, "", visitor)
    page = response.json()
    assert response["Cache-Control"] == "no-store"
    assert [(each["id"], each["preview"], each["status"]) for each in page["data"]] == [
        (str(second.id), "What does it cost?", "closed"),
        (str(first.id), "Do you ship abroad?", "closed"),
    ]
    read = get(tenant, f"/{first.id}", visitor).json()
    assert read["conversation"]["id"] == str(first.id)
    assert [(each["author"], each["body"]) for each in read["messages"]] == [
        ("customer", "Do you ship abroad?"),
        ("system", "closed"),
    ]


def test_nobody_else_lists_or_reads_them(tenant, visitor):
    mine, other_tenant = begin(tenant, visitor), make_tenant()
    stranger = domain.begin_visit(tenant.id)
    assert get(tenant, "", stranger).json() == {"data": [], "next": None}
    assert [
        get(tenant, "", None).status_code,
        get(tenant, f"/{mine.id}", None).status_code,
        get(tenant, f"/{mine.id}", stranger).status_code,
        get(tenant, f"?after={mine.id}", stranger).status_code,
        get(other_tenant, f"/{mine.id}", domain.begin_visit(other_tenant.id)).status_code,
        # The same visitor's id under a token of another company.
        get(other_tenant, f"/{mine.id}", visitor).status_code,
        get(tenant, f"/{uuid.uuid4()}", visitor).status_code,
        get(tenant, "?after=x", visitor).status_code,
    ] == [401, 401, 404, 404, 404, 404, 404, 400]
    token = issue_token(VisitorIdentity(tenant.id, visitor))
    crossed = Client().get(f"/widget/{other_tenant.slug}/conversations", headers={"Authorization": f"Bearer {token}"})
    assert crossed.status_code == 401


def test_deleted_ones_and_those_of_other_channels_are_not_listed(tenant, visitor):
    deleted, elsewhere, kept = (begin(tenant, visitor, f"What does plan {each} cost?") for each in "abc")
    with tenant_atomic(tenant.id):
        forget_conversation(deleted.id)
        Conversation.objects.filter(id=elsewhere.id).update(channel=Channel.API)
    assert [each["id"] for each in get(tenant, "", visitor).json()["data"]] == [str(kept.id)]
    assert [get(tenant, f"/{each.id}", visitor).status_code for each in (deleted, elsewhere)] == [404, 404]


def test_the_list_comes_in_pages(tenant, visitor):
    made = [begin(tenant, visitor, f"What does plan {each} cost?") for each in range(PAGE + 3)]
    first = get(tenant, "", visitor).json()
    second = get(tenant, f"?after={first['next']}", visitor).json()
    assert (len(first["data"]), len(second["data"]), second["next"]) == (PAGE, 3, None)
    assert [each["id"] for each in first["data"] + second["data"]] == [str(each.id) for each in reversed(made)]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long_it_is(tenant, visitor, count):
    for each in range(count):
        begin(tenant, visitor, f"What does plan {each} cost?")
    with CaptureQueriesContext(connection) as queries:
        assert len(get(tenant, "", visitor).json()["data"]) == count
    selects = [each["sql"] for each in queries if "conversations_conversation" in each["sql"]]
    assert len(selects) == 1


def test_reading_is_limited_for_each_address(tenant, visitor, monkeypatch):
    cache.clear()
    monkeypatch.setattr(HistoryThrottle, "rate", "2/min", raising=False)
    assert [get(tenant, "", visitor).status_code for _ in range(3)] == [200, 200, 429]
    cache.clear()

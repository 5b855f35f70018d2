"""The list of what reviews found: what stands in it, for whom, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from reviews.domain import Judgement
from reviews.findings import ROWS_PER_PAGE, findings
from reviews.models import ReviewItem
from tests.factories import make_tenant, make_user
from tests.integration.reviews.rows import GOOD, MISREAD, judge, make_item, reviewer
from tracing.forget import forget_conversation

pytestmark = pytest.mark.django_db
# Session, person, then savepoints, scope settings and membership of `desk_view`, then the page's own.
FOUND_QUERIES = 13


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def address(tenant: Tenant) -> str:
    return reverse("reviews:found", args=[tenant.slug])


def test_settled_answers_with_what_to_mend(client: Client, tenant: Tenant) -> None:
    user = reviewer(tenant)
    for judgement in (GOOD, MISREAD, Judgement(verdict="wrong", cause="retrieval_missed")):
        make_item(tenant)
        judge(tenant, user, judgement)
    make_item(tenant)
    other = make_tenant()
    make_item(other)
    judge(other, reviewer(other), MISREAD)
    client.force_login(make_user(tenant, Role.ADMIN))
    page = client.get(address(tenant))
    assert [row.cause for row in page.context["rows"]] == [
        "The right article wasn't found", "The question or passage was misread", "",
    ]  # fmt: skip
    text = page.content.decode()
    assert (text.count("Three days."), text.count("Write an article")) == (1, 1)
    found = client.get(address(tenant), {"cause": "misread", "verdict": "?"}).context["rows"]
    assert [(row.correction, list(row.notes)) for row in found] == [("Three days.", ["Reads the wrong line."])]


def test_it_is_for_those_who_review(client: Client, tenant: Tenant) -> None:
    assert client.get(address(tenant)).status_code == 302
    for where, role, status in (
        (tenant, Role.AGENT, 403),
        (tenant, Role.REVIEWER, 200),
        (make_tenant(), Role.OWNER, 404),
    ):
        client.force_login(make_user(where, role))
        assert client.get(address(tenant)).status_code == status


def test_a_deleted_conversations_answer_is_not_listed(tenant: Tenant) -> None:
    item = make_item(tenant)
    judge(tenant, reviewer(tenant), MISREAD)
    with tenant_atomic(tenant.id):
        assert len(findings()[0]) == 1
        forget_conversation(ReviewItem.objects.select_related("reply").get(id=item.id).reply.conversation_id)
        assert findings() == ([], False)


def test_pages_follow_each_other(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ROWS_PER_PAGE == 25
    monkeypatch.setattr("reviews.findings.ROWS_PER_PAGE", 2)
    user = reviewer(tenant)
    for _ in range(3):
        make_item(tenant)
        judge(tenant, user)
    with tenant_atomic(tenant.id):
        (first, has_more), (second, has_more_yet) = findings(page=1), findings(page=2)
    assert (len(first), has_more, len(second), has_more_yet) == (2, True, 1, False)
    assert not {row.item.id for row in first} & {row.item.id for row in second}


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long_it_is(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: Any
) -> None:
    user = reviewer(tenant)
    for _ in range(count):
        make_item(tenant)
        judge(tenant, user, MISREAD)
    client.force_login(user)
    client.get(address(tenant))
    with django_assert_num_queries(FOUND_QUERIES):
        client.get(address(tenant))

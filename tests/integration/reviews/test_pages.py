"""The pages of reviews: who gets in, what is shown, and what a form does."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import Message
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership
from reviews.models import Review, ReviewItem, ReviewRules
from tests.factories import make_tenant, make_user
from tests.integration.reviews.rows import GOOD, MISREAD, judge, make_item, now, reviewer
from tracing.models import TraceAccess

pytestmark = pytest.mark.django_db
# Session, person, then savepoints, scope settings and membership of `desk_view`, then the page's own.
ANSWER_QUERIES = 20


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def url(tenant: Tenant, name: str, item: Any = None) -> str:
    return reverse(f"reviews:{name}", args=[tenant.slug, *([item.id] if item else [])])


def requests(tenant: Tenant, item: ReviewItem) -> list[tuple[str, str]]:
    """Every address with the method that it takes."""
    return [
        ("get", url(tenant, "overview")),
        ("get", url(tenant, "next")),
        ("post", url(tenant, "verdict", item)),
        ("post", url(tenant, "skip", item)),
        ("post", url(tenant, "undo", item)),
        ("get", url(tenant, "rules")),
        ("post", url(tenant, "rules")),
    ]


def statuses(client: Client, asked: list[tuple[str, str]], **data: Any) -> list[int]:
    return [getattr(client, method)(address, data).status_code for method, address in asked]


def test_strangers_and_other_companies_get_nothing_and_change_nothing(client: Client, tenant: Tenant) -> None:
    item = make_item(tenant)
    asked = requests(tenant, item)
    assert statuses(client, asked, verdict="good", round=1) == [302] * 7
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert statuses(client, asked, verdict="good", round=1) == [404] * 7
    client.force_login(make_user(tenant, Role.AGENT))
    assert statuses(client, asked, verdict="good", round=1) == [403] * 7
    found = now(tenant, item)
    assert (found.done_at, found.claimed_by_id) == (None, None)
    with tenant_atomic(tenant.id):
        assert not ReviewRules.objects.exists()


def test_an_item_of_another_company_is_not_found_by_its_id(client: Client, tenant: Tenant) -> None:
    own, other = make_item(tenant), make_item(make_tenant())
    client.force_login(reviewer(tenant))
    for name in ("verdict", "skip", "undo"):
        for stranger in (other, SimpleNamespace(id=uuid.uuid4())):
            assert client.post(url(tenant, name, stranger), {"verdict": "good", "round": 1}).status_code == 404
    assert now(tenant, own).done_at is None


def test_the_page_shows_question_answer_and_sources_and_opens_nothing_sealed(client: Client, tenant: Tenant) -> None:
    make_item(tenant)
    source = {
        "number": 1, "article": str(uuid.uuid4()), "version": 1, "chunk": str(uuid.uuid4()), "title": "Delivery <b>",
        "heading": "", "language": "en", "quote": "Two days.", "passage": "We send it. Two days.", "updated_at": "2026-01-01",
    }  # fmt: skip
    with tenant_atomic(tenant.id):
        Message.objects.filter(author="ai").update(sources=[source])
    client.force_login(reviewer(tenant))
    page = client.get(url(tenant, "next")).content.decode()
    for part in (
        "How long does delivery take?",
        "two to four working days",
        "<mark>Two days.</mark>",
        "Delivery &lt;b&gt;",
    ):
        assert part in page
    with tenant_atomic(tenant.id):
        assert not TraceAccess.objects.exists()


def test_a_verdict_leads_to_the_next_answer_of_the_same_queue(client: Client, tenant: Tenant) -> None:
    items = [make_item(tenant), make_item(tenant)]
    client.force_login(reviewer(tenant))
    first = client.get(url(tenant, "next")).context["item"]
    assert first.id == items[0].id
    response = client.post(url(tenant, "verdict", first), {"verdict": "good", "round": 1, "for": "random"}, follow=True)
    assert response.redirect_chain == [(url(tenant, "next") + "?for=random", 302)]
    assert response.context["item"].id == items[1].id
    assert "Last one: good" in response.content.decode()
    client.post(url(tenant, "undo", first))
    assert client.get(url(tenant, "next")).context["item"].id == first.id


def test_what_was_typed_comes_back_when_the_cause_is_missing(client: Client, tenant: Tenant) -> None:
    item = make_item(tenant)
    client.force_login(reviewer(tenant))
    client.get(url(tenant, "next"))
    given = {"verdict": "wrong", "round": 1, "correction": "Three <days>.", "note": "Odd."}
    response = client.post(url(tenant, "verdict", item), given)
    page = response.content.decode()
    assert (response.status_code, "Choose what went wrong." in page, "Three &lt;days&gt;." in page) == (400, True, True)
    assert now(tenant, item).done_at is None


@pytest.mark.parametrize("form", [{}, {"round": "9"}, {"round": "x", "verdict": "good"}])
def test_a_form_that_is_none_of_the_pages_is_refused(client: Client, tenant: Tenant, form: dict[str, str]) -> None:
    item = make_item(tenant)
    client.force_login(reviewer(tenant))
    assert client.post(url(tenant, "verdict", item), form).status_code == 400


def test_the_second_reviewer_sees_nothing_of_the_first_and_the_third_sees_both(client: Client, tenant: Tenant) -> None:
    make_item(tenant, needs_second=True)
    judge(tenant, reviewer(tenant), MISREAD)
    client.force_login(second := reviewer(tenant))
    page = client.get(url(tenant, "next")).content.decode()
    assert not [word for word in ("Three days.", "Reads the wrong line.", "so far", "blind") if word in page]
    judge(tenant, second, GOOD)
    client.force_login(reviewer(tenant))
    page = client.get(url(tenant, "next")).content.decode()
    assert "Two reviewers disagreed" in page
    assert "Three days." in page
    assert second.name not in page


def test_a_person_whose_role_is_removed_can_finish_nothing(client: Client, tenant: Tenant) -> None:
    item, user = make_item(tenant), reviewer(tenant)
    client.force_login(user)
    client.get(url(tenant, "next"))
    with tenant_atomic(tenant.id):
        Membership.objects.filter(user=user).update(role=Role.AGENT)
    assert client.post(url(tenant, "verdict", item), {"verdict": "good", "round": 1}).status_code == 403
    with tenant_atomic(tenant.id):
        Membership.objects.filter(user=user).delete()
    assert client.post(url(tenant, "verdict", item), {"verdict": "good", "round": 1}).status_code == 404
    with tenant_atomic(tenant.id):
        assert not Review.objects.exists()


def test_the_rules_are_set_on_a_page_by_owners_and_admins(client: Client, tenant: Tenant) -> None:
    client.force_login(reviewer(tenant))
    assert client.get(url(tenant, "rules")).status_code == 403
    client.force_login(make_user(tenant, Role.ADMIN))
    assert "Set up sampling" in client.get(url(tenant, "overview")).content.decode()
    form = {"is_on": "on", "on_thumbs_down": "on", "random_percent": "12", "second_percent": "30", "label": ""}
    assert client.post(url(tenant, "rules"), form).status_code == 302
    with tenant_atomic(tenant.id):
        rules = ReviewRules.objects.get()
    assert (rules.is_on, rules.on_hand_off, rules.random_percent, rules.second_percent) == (True, False, 12, 30)
    assert client.post(url(tenant, "rules"), form | {"random_percent": "101"}).status_code == 400
    assert client.post(url(tenant, "rules"), form | {"label": str(uuid.uuid4())}).status_code == 400
    assert "12" in client.get(url(tenant, "rules")).content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_however_long_the_queue(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        make_item(tenant)
    client.force_login(reviewer(tenant))
    client.get(url(tenant, "next"))
    with django_assert_num_queries(ANSWER_QUERIES):
        client.get(url(tenant, "next"))

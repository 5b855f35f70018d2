"""The audit log: who may, what it shows, filters, pages by place in the chain, and the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from helpdesk.api_keys.domain import create_key, revoke_key
from helpdesk.api_keys.scopes import Scope
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.invitations import invite
from helpdesk.users.models import Membership, User
from helpdesk.users.noting import PeopleChange
from helpdesk.users.people import change_role, remove_member
from tests.factories import make_tenant, make_user
from tracing.audit import AuditFilter, audit_page
from tracing.chain import append_to_chain
from tracing.models import KeyEvent, KeyEventKind, TraceAccess
from tracing.retention import set_policy

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def owner(tenant: Tenant) -> User:
    return make_user(tenant, Role.OWNER)


def page(tenant: Tenant, name: str = "audit") -> str:
    return reverse(f"tracing:{name}", args=[tenant.slug])


def member(tenant: Tenant, user: User) -> Membership:
    with tenant_atomic(tenant.id):
        return Membership.objects.select_related("user").get(user=user)


def shown(client: Client, tenant: Tenant, **filters: object) -> list[tuple[str, str, str]]:
    response = client.get(page(tenant), filters)
    assert response.status_code == 200
    return [(row.what, row.detail, row.actor) for row in response.context["rows"]]


def history(tenant: Tenant, owner: User) -> User:
    """One entry of each source, but deletions; returns the person whom it concerns."""
    by, person = member(tenant, owner), make_user(tenant, email="lin@tea.example")
    target = member(tenant, person)
    invite(tenant, email="wu@tea.example", name="Wu", role=Role.VIEWER, by=by)
    change_role(tenant, membership_id=target.id, role=Role.EDITOR, by=by)
    remove_member(tenant, membership_id=target.id)
    key = create_key(tenant_id=tenant.id, name="Shop", scopes=[Scope.STATS_READ], created_by=owner).key
    revoke_key(tenant_id=tenant.id, key_id=key.id)
    with tenant_atomic(tenant.id):
        set_policy(prompts=5, answers=9, metrics=None, user=owner)
        trace_id = key.id  # of a trace that is gone
        append_to_chain(TraceAccess(trace_id=trace_id, user=owner, reason="=complaint", opened=True))
        append_to_chain(KeyEvent(kind="checkpoint"))
    return person


def test_it_says_what_happened_the_newest_first(client: Client, tenant: Tenant, owner: User) -> None:
    person = history(tenant, owner)
    client.force_login(owner)
    shell, name = "The server's command line", str(owner)
    assert shown(client, tenant) == [
        ("Exported a checkpoint", "", shell),
        ("Opened a report", "=complaint", name),
        ("Retention changed", "prompts: 5 days, answers: 9 days, records: kept", name),
        ("Revoked an API key", "Shop", shell),
        ("Created an API key", "Shop", name),
        ("Removed someone", f"{person} · Editor", shell),
        ("Changed a role", f"{person}: Agent to Editor", name),
        ("Invited someone", "wu@tea.example · Viewer", name),
    ]


@pytest.mark.parametrize(
    ("kind", "whats"),
    [
        ("people", ["Removed someone", "Changed a role", "Invited someone"]),
        ("reads", ["Opened a report"]),
        ("api_keys", ["Revoked an API key", "Created an API key"]),
        ("retention", ["Retention changed"]),
        ("deletions", []),
        ("keys", ["Exported a checkpoint"]),
    ],
)
def test_a_kind_alone(client: Client, tenant: Tenant, owner: User, kind: str, whats: list[str]) -> None:
    history(tenant, owner)
    client.force_login(owner)
    assert [what for what, _detail, _actor in shown(client, tenant, kind=kind)] == whats


def test_a_person_is_found_by_what_they_did_and_by_what_was_done_to_them(
    client: Client, tenant: Tenant, owner: User
) -> None:
    person = history(tenant, owner)
    client.force_login(owner)
    assert {actor for _what, _detail, actor in shown(client, tenant, person=owner.pk)} == {str(owner)}
    assert {actor for _what, _detail, actor in shown(client, tenant, person="shell")} == {"The server's command line"}
    with tenant_atomic(tenant.id):
        rows = audit_page(AuditFilter(person=str(person.pk))).rows
    assert [row.kind for row in rows] == ["person_removed", "role_changed"]


def test_days_are_both_included(client: Client, tenant: Tenant, owner: User) -> None:
    history(tenant, owner)
    client.force_login(owner)
    today = shown(client, tenant)
    assert shown(client, tenant, since="2026-01-01", until="9999-12-31") == today
    assert shown(client, tenant, until="2026-01-01") == []
    assert shown(client, tenant, since="9999-12-31") == []


@pytest.mark.parametrize(
    "filters",
    [{"kind": "nonsense"}, {"person": "x"}, {"person": "9" * 40}, {"since": "yesterday"}, {"before": "-1"},
     {"before": "9" * 60}, {"before": "x"}],
)  # fmt: skip
def test_a_filter_that_means_nothing_restricts_nothing(
    client: Client, tenant: Tenant, owner: User, filters: dict[str, str]
) -> None:
    history(tenant, owner)
    client.force_login(owner)
    assert len(shown(client, tenant, **filters)) == 8


def test_pages_follow_one_another_by_the_place_in_the_chain(client: Client, tenant: Tenant, owner: User) -> None:
    client.force_login(owner)
    with tenant_atomic(tenant.id):
        for number in range(120):
            kind = KeyEvent(kind="checkpoint") if number % 3 else TraceAccess(
                trace_id=tenant.id, user=owner, reason="r", opened=True
            )  # fmt: skip
            append_to_chain(kind)
    found, query = [], ""
    while True:
        response = client.get(f"{page(tenant)}?{query}")
        found += [row.sequence for row in response.context["rows"]]
        if not (query := response.context["older"]):
            break
    assert found == list(range(120, 0, -1))


def test_others_see_nothing(client: Client, tenant: Tenant, owner: User) -> None:
    history(tenant, owner)
    for name in ("audit", "audit_csv"):
        assert client.get(page(tenant, name)).status_code == 302
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert [client.get(page(tenant, name)).status_code for name in ("audit", "audit_csv")] == [404, 404]
    for role in (Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER):
        client.force_login(make_user(tenant, role))
        assert [client.get(page(tenant, name)).status_code for name in ("audit", "audit_csv")] == [403, 403]
        assert page(tenant) not in client.get(reverse("desk:inbox", args=[tenant.slug])).content.decode()


def test_another_company_has_a_log_of_its_own(client: Client, tenant: Tenant, owner: User) -> None:
    history(tenant, owner)
    other = make_tenant()
    client.force_login(make_user(other, Role.ADMIN))
    assert shown(client, other) == []
    assert client.get(page(other, "audit_csv")).getvalue().count(b"\n") == 1


def test_it_is_read_and_not_written(client: Client, owner: User, tenant: Tenant) -> None:
    client.force_login(owner)
    assert [client.post(page(tenant, name)).status_code for name in ("audit", "audit_csv")] == [405, 405]


def test_the_file_has_the_rows_of_the_filter_and_no_formula(client: Client, tenant: Tenant, owner: User) -> None:
    history(tenant, owner)
    client.force_login(owner)
    response = client.get(page(tenant, "audit_csv"))
    assert response["Content-Disposition"].startswith(f'attachment; filename="glassdesk-{tenant.slug}-audit-')
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert [row["what"] for row in rows][:2] == ["Exported a checkpoint", "Opened a report"]
    assert (rows[1]["detail"], rows[1]["kind"], len(rows)) == ("'=complaint", "reads", 8)
    few = client.get(page(tenant, "audit_csv"), {"kind": "api_keys"}).getvalue().decode("utf-8-sig")
    assert [row["detail"] for row in csv.DictReader(io.StringIO(few))] == ["Shop", "Shop"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_a_fixed_number_of_queries(
    client: Client, tenant: Tenant, owner: User, count: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for number in range(count):
        history_of_one(tenant, owner, number)
    client.force_login(owner)
    client.get(page(tenant))
    with django_assert_num_queries(20):
        client.get(page(tenant))


def history_of_one(tenant: Tenant, owner: User, number: int) -> None:
    invite(tenant, email=f"wu{number}@tea.example", name="", role=Role.VIEWER, by=member(tenant, owner))
    create_key(tenant_id=tenant.id, name="Shop", scopes=[Scope.STATS_READ], created_by=owner)
    with tenant_atomic(tenant.id):
        append_to_chain(TraceAccess(trace_id=tenant.id, user=owner, reason="r", opened=True))


def test_the_declared_kinds_of_events_are_those_that_are_written() -> None:
    declared = dict(KeyEvent._meta.get_field("kind").flatchoices)
    assert declared.keys() == {*KeyEventKind.values, *PeopleChange.values}
    assert all(len(kind) <= 16 for kind in declared)

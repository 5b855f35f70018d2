"""The page, its file and the API: what they say, to whom, and at what cost."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from conversations.inbox import labels
from helpdesk.api_keys.scopes import Scope
from helpdesk.facts.kinds import SYSTEM
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from reports.adding_up import add_up_due
from reports.models import ReportSettings
from tests.api_access import ApiEndpoint, api_call, check_access
from tests.factories import make_api_key, make_tenant, make_user
from tests.integration.reports.days import talk

pytestmark = pytest.mark.django_db
ASKED, ANSWERED = (0, "customer", None), (4, "ai", "answered")


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def busy(tenant: Tenant, days: int = 3) -> Any:
    """Conversations on each of the last days, one of them of an agent whose name begins like a formula."""
    agent = make_user(tenant)
    agent.name = "=cmd()"
    agent.save(update_fields=["name"])
    today = datetime.combine(timezone.now().date(), time(0, 1), UTC)
    for back in range(days):
        talk(tenant, today - timedelta(days=back), [ASKED, ANSWERED])
        talk(tenant, today - timedelta(days=back), [ASKED, (60, "person", agent.id)], language="zh")
    add_up_due(tenant.id)
    return agent


def url(tenant: Tenant, what: str = "") -> str:
    return f"/desk/{tenant.slug}/reports/{what}"


def test_the_page_is_for_members_and_the_load_for_who_manages(client: Client, tenant: Tenant) -> None:
    busy(tenant)
    assert client.get(url(tenant)).status_code == 302
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert client.get(url(tenant)).status_code == 404
    for role in Role:
        client.force_login(make_user(tenant, role))
        for what in ("", "export.csv"):
            response = client.get(url(tenant, what))
            assert response.status_code == 200
            assert ("cmd()" in response.content.decode()) == (role in {Role.OWNER, Role.ADMIN})


def test_the_page_says_the_figures(client: Client, tenant: Tenant) -> None:
    busy(tenant)
    client.force_login(make_user(tenant, Role.OWNER))
    response = client.get(url(tenant))
    cards = {card.name: card.value for card in response.context["cards"]}
    assert (cards["conversations"], cards["ai_share"], cards["hand_offs"]) == ("6", "50 %", "0")
    assert client.get(url(tenant) + "?language=zh").context["cards"][0].value == "3"
    one = timezone.now().date().isoformat()
    cards = {card.name: card for card in client.get(f"{url(tenant)}?since={one}&until={one}").context["cards"]}
    assert (cards["conversations"].value, cards["conversations"].change) == ("2", "no change")


def test_an_empty_company_reads_what_to_do(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant))
    assert "Nothing happened in this period" in client.get(url(tenant)).content.decode()


@pytest.mark.parametrize(
    "query",
    ["since=x&until=y", "since=2026-11-30&until=2020-01-01", "since=0001-01-01", "until=9999-12-31", "label=7&channel=x",
     "since=1900-01-01", "language=%00"],
)  # fmt: skip
def test_odd_addresses_are_no_errors(client: Client, tenant: Tenant, query: str) -> None:
    client.force_login(make_user(tenant))
    assert client.get(f"{url(tenant)}?{query}").status_code == 200


@pytest.mark.parametrize("days", [1, 3])
def test_the_page_takes_as_many_queries_however_many_days(
    client: Client, tenant: Tenant, days: int, django_assert_num_queries: Any
) -> None:
    busy(tenant, days)
    client.force_login(make_user(tenant, Role.OWNER))
    client.get(url(tenant))
    with django_assert_num_queries(19):
        client.get(url(tenant))


def test_the_file_has_no_formula(client: Client, tenant: Tenant) -> None:
    busy(tenant)
    client.force_login(make_user(tenant, Role.OWNER))
    response = client.get(url(tenant, "export.csv"))
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert ["conversations", "number", "6", "0"] in rows
    assert ["'=cmd()", "3", "3", "0", "0"] in rows
    assert response["Content-Disposition"].startswith("attachment")


def test_only_who_manages_sets_where_days_begin(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.AGENT))
    assert client.post(url(tenant, "time-zone/"), {"time_zone": "Asia/Shanghai"}).status_code == 403
    client.force_login(make_user(tenant, Role.ADMIN))
    for name in ("Nowhere/Land", "../../etc/passwd", ""):
        assert client.post(url(tenant, "time-zone/"), {"time_zone": name}).status_code == 302
    with tenant_atomic(tenant.id):
        assert not ReportSettings.objects.exists()
    client.post(url(tenant, "time-zone/"), {"time_zone": "Asia/Shanghai"})
    with tenant_atomic(tenant.id):
        assert ReportSettings.objects.get().time_zone == "Asia/Shanghai"


def test_the_api_serves_the_same_figures(tenant: Tenant) -> None:
    busy(tenant)
    with tenant_atomic(tenant.id):
        labels.create_label(name="Refund", colour="red", actor=SYSTEM)
    endpoint = ApiEndpoint("GET", "/api/v1/reports", Scope.STATS_READ)
    check_access(endpoint, tenant, rows=lambda: None, is_about_one=False)
    key = make_api_key(tenant)
    found = api_call("GET", "/api/v1/reports", key).json()
    measures = {each["name"]: each["value"] for each in found["measures"]}
    assert (measures["conversations"], measures["ai_share"], found["answered_by"]["person"]) == (6, 0.5, 3)
    assert (len(found["days"]), len(found["hours"]), found["pending_days"]) == (30, 7, 0)
    assert [each["replies"] for each in found["agents"]] == [3]
    other = api_call("GET", "/api/v1/reports", make_api_key(make_tenant())).json()
    assert {each["value"] for each in other["measures"]} == {0, None}
    assert api_call("GET", "/api/v1/reports?label=refund", key).json()["measures"][0]["value"] == 0


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("since=yesterday", "since"), ("since=2026-02-31", "since"), ("since=2020-01-01", "since"), ("channel=batch", "channel"),
     ("language=fr", "language"), ("label=nothing", "label"), ("label=%00", "label"), ("until=0001-01-01", "until")],
)  # fmt: skip
def test_the_api_says_what_cannot_be(tenant: Tenant, query: str, parameter: str) -> None:
    response = api_call("GET", f"/api/v1/reports?{query}", make_api_key(tenant))
    assert (response.status_code, response.json()["error"]["parameter"]) == (400, parameter)

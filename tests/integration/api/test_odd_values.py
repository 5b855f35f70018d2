"""Numbers, dates, places and reasons that make no sense: the desk's pages shrug, the API refuses by name, nobody fails."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from conversations.api.stream import clean_cursor
from helpdesk.errors import InvalidInput
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from tests.api_access import api_call
from tests.factories import make_api_key, make_tenant, make_user
from tracing.forms import ReasonForm
from tracing.reasons import clean_reason

pytestmark = pytest.mark.django_db(transaction=True)

ODD = [
    "9" * 5000,
    "-1",
    "1e9",
    "NaN",
    "²",
    "٣",
    "0x10",
    "1_0",
    " 1",
    "\x00",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]
PAGES = ["inbox/?page=", "knowledge/?page=", "knowledge/?category=", "traces/?before=", "traces/?since=", "traces/?until=",
         "traces/?period=", "traces/?model=", "inbox/?selected=", "batches/?rows="]  # fmt: skip


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_shown_whatever_stands_behind_its_question_mark(tenant: Tenant, client: Client, page: str) -> None:
    client.force_login(make_user(tenant, Role.OWNER), backend="allauth.account.auth_backends.AuthenticationBackend")
    for value in [*ODD, "0001-01-01", "9999-12-31"]:
        response = client.get(f"/desk/{tenant.slug}/{page}{quote(value, safe='')}")
        assert response.status_code == 200, (page, value[:20], response.status_code)


@pytest.mark.parametrize(
    "path",
    [
        "conversations?limit=", "conversations?cursor=", "conversations?status=", "stats?days=", "traces?since=",
        "traces?until=", "traces?band=", "traces?model=", "batches?limit=", "knowledge/articles?language=",
    ],
)  # fmt: skip
def test_an_endpoint_refuses_odd_values_by_name(tenant: Tenant, path: str) -> None:
    key = make_api_key(tenant, requests_per_minute=100_000)
    name = path.partition("?")[2].removesuffix("=")
    for value in ODD:
        if value == " 1" and name in {"since", "until"}:
            continue
        response = api_call("GET", f"/api/v1/{path}{quote(value, safe='')}", key)
        assert (response.status_code, response.json()["error"]["parameter"]) == (400, name), value[:20]


@pytest.mark.parametrize("days", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_are_days(tenant: Tenant, days: str) -> None:
    key = make_api_key(tenant)
    assert api_call("GET", f"/api/v1/traces?since={days}&until={days}", key).json() == {"data": [], "next": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 10**400), ("temperature", True), ("temperature", "0.5"), ("temperature", 1e308), ("top_p", False),
        ("max_tokens", True), ("max_tokens", 1.5), ("max_tokens", "5"), ("max_tokens", 10**30), ("seed", -1),
        ("seed", 2**31), ("stop", ["\x00"]), ("stop", 5), ("grounded", "yes"), ("grounded", 1),
        ("use_cache", "on"),
    ],
)  # fmt: skip
def test_parameters_of_the_wrong_kind_are_refused(tenant: Tenant, name: str, value: Any) -> None:
    key = make_api_key(tenant)
    conversation = api_call("POST", "/api/v1/conversations", key, {}).json()["id"]
    path = f"/api/v1/conversations/{conversation}/messages"
    response = api_call("POST", path, key, {"body": "Hello?", "parameters": {name: value}})
    assert response.status_code == 400
    assert response.json()["error"]["code"] in {"invalid", "unreadable_body"}
    assert api_call("GET", path, key).json()["data"] == []


@pytest.mark.parametrize("cursor", [None, "", "5", "1-", "x-1", "-1-2", "1_0-0", "٣-1", f"{'9' * 400}-0", "1-1 "])
def test_a_place_in_a_stream_that_cannot_be_one_is_none(cursor: str | None) -> None:
    assert clean_cursor(cursor) is None
    assert clean_cursor("1763800000000-0") == "1763800000000-0"


REASONS = [
    "complaint 4711", "检查原因", "  spaced   out\treason ", "x" * 300, "long words " * 27, "with\na line end",
    "zero\u200bwidth and more", "", "abc", "检查", "x" * 301, "reason " * 100, "a reason with\x00 NUL", "\u200b" * 50,
    " " * 400, "\u3164" * 20, "x" + " " * 400 + "reason",
]  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
def test_desk_and_api_take_the_same_reasons(reason: str) -> None:
    form = ReasonForm({"reason": reason})
    try:
        kept = clean_reason(reason)
    except InvalidInput:
        assert not form.is_valid()
    else:
        assert form.is_valid()
        assert form.cleaned_data["reason"] == kept


def test_a_reason_that_is_too_long_is_refused_and_not_cut(tenant: Tenant) -> None:
    from tests.integration.tracing.rows import make_trace

    path = f"/api/v1/traces/{make_trace(tenant).id}/content"
    response = api_call("POST", path, make_api_key(tenant), {"reason": "because " * 40})
    assert (response.status_code, response.json()["error"]["parameter"]) == (400, "reason")
    assert "300" in response.json()["error"]["message"]

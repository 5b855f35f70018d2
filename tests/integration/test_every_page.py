"""No browser or proxy keeps an answer, whoever asked and whatever became of it; and the other headers hold as well."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.exceptions import NoReverseMatch

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db
UNKNOWN = uuid.UUID(int=7)


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def names(patterns: list[Any] | None = None, namespace: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every route by its full name, with the names of what its address holds."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(each, URLResolver):
            inner = f"{namespace}{each.namespace}:" if each.namespace else namespace
            yield from names(each.url_patterns, inner)
        elif isinstance(each, URLPattern) and each.name:
            yield f"{namespace}{each.name}", set(each.pattern.converters) | set(each.pattern.regex.groupindex)


def addresses(**known: object) -> dict[str, str]:
    """An address for each route; what is not known is an id of nothing."""
    found = {}
    for name, arguments in names():
        for stranger in (UNKNOWN, 7, "x"):
            try:
                found[name] = reverse(name, kwargs={each: known.get(each, stranger) for each in arguments})
                break
            except NoReverseMatch:
                continue
    return found


def wrong_headers(response: Any, *, framed: bool = False) -> list[str]:
    expected = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
    if not framed:
        expected["X-Frame-Options"] = "DENY"
    wrong = [name for name, value in expected.items() if response.headers.get(name) != value]
    if "no-store" not in response.headers.get("Cache-Control", ""):
        wrong.append("Cache-Control")
    if "frame-ancestors" not in response.headers.get("Content-Security-Policy", ""):
        wrong.append("Content-Security-Policy")
    return wrong


def test_no_route_answers_something_that_may_be_kept(client: Client, tenant: Tenant) -> None:
    conversation, message, _reply = make_question(tenant)
    client.force_login(make_user(tenant, Role.OWNER))
    asked = addresses(tenant_slug=tenant.slug, conversation_id=conversation.id, message_id=message.id)
    desk = {name for name, address in asked.items() if address.startswith("/desk/")}
    assert len(desk) > 30
    statuses, wrong = {}, {}
    for name, address in asked.items():
        framed = name == "widget:frame"
        for method in (client.get, client.post):
            response = method(address)
            if method == client.get:
                statuses[name] = response.status_code
            if problems := wrong_headers(response, framed=framed):
                wrong[name, response.status_code] = problems
            client.force_login(make_user(tenant, Role.OWNER)) if name == "account_logout" else None
    assert wrong == {}
    assert sum(1 for name in desk if statuses[name] == 200) >= 12
    assert [name for name, status in statuses.items() if status >= 500 and not name.startswith("health")] == []


def test_no_answer_to_a_stranger_may_be_kept_either(client: Client, tenant: Tenant) -> None:
    wrong = {name: wrong_headers(client.get(address), framed=name == "widget:frame")
             for name, address in addresses(tenant_slug=tenant.slug).items()}  # fmt: skip
    assert {name: problems for name, problems in wrong.items() if problems} == {}


@pytest.mark.parametrize("path", ["/nowhere/", "/desk/nowhere/inbox/", "/accounts/email/", "/static/nothing.js"])
def test_errors_are_not_kept(client: Client, tenant: Tenant, path: str) -> None:
    client.force_login(make_user(tenant))
    response = client.get(path)
    assert (response.status_code, "no-store" in response["Cache-Control"]) == (404, True)


def test_static_files_may_be_kept(client: Client) -> None:
    response = client.get("/static/desk/base.css")
    assert (response.status_code, "max-age" in response["Cache-Control"]) == (200, True)

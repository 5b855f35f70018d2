"""Promises about all endpoints for API clients, held for those that come later too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from helpdesk.api.views import ApiView
from helpdesk.api_keys.scopes import Scope
from tests.factories import make_api_key, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "00000000-0000-4000-8000-000000000000"


def endpoints(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[tuple[str, type[ApiView]]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from endpoints(pattern.url_patterns, route)
        elif isinstance(view := getattr(pattern.callback, "cls", None), type) and issubclass(view, ApiView):
            yield route, view


FOUND = list(endpoints(get_resolver().url_patterns))
HANDLERS = [
    (route, method, getattr(view, method))
    for route, view in FOUND
    for method in ("get", "post", "put", "patch", "delete")
    if hasattr(view, method)
]


def name_of(value: object) -> str:
    """The same in every process: a function's representation holds its address."""
    return getattr(value, "__qualname__", None) or str(value)


def test_there_are_endpoints_to_look_at() -> None:
    assert len(HANDLERS) >= 13


@pytest.mark.parametrize(("route", "method", "handler"), HANDLERS, ids=name_of)
def test_every_handler_names_its_scope_and_lets_no_stranger_in(route: str, method: str, handler: object) -> None:
    assert handler.required_scope is None or handler.required_scope in Scope  # type: ignore[attr-defined]
    path = "/".join(ADDRESS if part.startswith("<") else part for part in route.split("/"))
    response = getattr(Client(), method)(path)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "invalid_api_key")
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("route", "method", "handler"), HANDLERS, ids=name_of)
def test_every_endpoint_refuses_a_parameter_that_it_does_not_know(route: str, method: str, handler: object) -> None:
    key = make_api_key(make_tenant())
    path = "/".join(ADDRESS if part.startswith("<") else part for part in route.split("/"))
    response = getattr(Client(), method)(f"{path}?no_such_name=1", headers={"Authorization": f"Bearer {key}"})
    assert (response.status_code, response.json()["error"]["parameter"]) == (400, "no_such_name")

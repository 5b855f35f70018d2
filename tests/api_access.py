"""Who may call an endpoint for API clients: the same four questions of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from helpdesk.api_keys.scopes import Scope
from helpdesk.tenants.models import Tenant
from tests.factories import make_api_key, make_tenant


@dataclass(frozen=True)
class ApiEndpoint:
    """One method of one endpoint; `status` is what a key with the scope gets. `scope` None lets every key in."""

    method: str
    path: str
    scope: Scope | None
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, key: str | None) -> Any:
        """The response to a caller with that key, or without one."""
        return api_call(self.method, self.path, key, self.body, **self.headers)


def api_call(method: str, path: str, key: str | None, body: Any = None, **headers: str) -> Any:
    """One request as an API client makes it; headers as keyword arguments, with underscores."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return getattr(Client(raise_request_exception=False), method.lower())(path, headers=sent, **data)


def check_access(endpoint: ApiEndpoint, tenant: Tenant, *, rows: Callable[[], Any], is_about_one: bool = True) -> None:
    """Anonymous 401, without the scope 403, another tenant 404 (for an endpoint about one thing), with it `status`.

    `rows` reads everything that the endpoint could change; it must be the same after each refusal.
    """
    before = rows()
    assert endpoint.call(None).status_code == 401
    assert endpoint.call("gd_" + "a" * 26 + "_" + "a" * 8 + "_" + "a" * 48).status_code == 401
    if endpoint.scope is not None:
        others = [scope for scope in Scope.values if scope != endpoint.scope]
        refused = endpoint.call(make_api_key(tenant, others))
        assert (refused.status_code, refused.json()["error"]["scope"]) == (403, endpoint.scope)
    if is_about_one:
        assert endpoint.call(make_api_key(make_tenant())).status_code == 404
    assert rows() == before
    sound = [endpoint.scope] if endpoint.scope is not None else [Scope.STATS_READ]
    response = endpoint.call(make_api_key(tenant, sound))
    assert response.status_code == endpoint.status, getattr(response, "content", b"")[:2000]
    assert "RateLimit-Remaining" in response.headers
    assert "no-store" in response.headers["Cache-Control"]

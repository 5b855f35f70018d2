"""The assistant's settings: who may, what is refused, and that every change makes a new version."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import Assistant
from helpdesk.permissions import Role
from helpdesk.queue.workers import remove_heartbeat
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.operations.workers import report, status

pytestmark = pytest.mark.django_db

VALID = {
    "name": "Fern",
    "style": "generate",
    "instructions": "Say hello first.",
    "temperature": "0.7",
    "top_p": "0.9",
    "max_tokens": "300",
    "seed": "",
    "stop": "###\r\n\r\nEND\r\n",
    "based_on": "1",
}
STORED = {
    "name": "Fern",
    "style": "generate",
    "instructions": "Say hello first.",
    "temperature": 0.7,
    "top_p": 0.9,
    "max_tokens": 300,
    "seed": None,
    "stop": ["###", "END"],
    "version": 2,
}


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def url(tenant: Tenant) -> str:
    return reverse("desk:assistant", kwargs={"tenant_slug": tenant.slug})


def stored(tenant: Tenant) -> dict[str, Any]:
    with tenant_atomic(tenant.id):
        return dict(Assistant.objects.values(*STORED).get())


@pytest.mark.parametrize("method", ["get", "post"])
def test_anonymous_people_sign_in_and_outsiders_see_nothing(client: Client, tenant: Tenant, method: str) -> None:
    before = stored(tenant)
    anonymous = getattr(client, method)(url(tenant), VALID)
    assert (anonymous.status_code, anonymous.url.split("?")[0]) == (302, reverse("account_login"))
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert getattr(client, method)(url(tenant), VALID).status_code == 404
    assert stored(tenant) == before


@pytest.mark.parametrize("role", [Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER])
def test_other_roles_may_neither_see_nor_change_it(client: Client, tenant: Tenant, role: Role) -> None:
    before = stored(tenant)
    client.force_login(make_user(tenant, role))
    assert [client.get(url(tenant)).status_code, client.post(url(tenant), VALID).status_code] == [403, 403]
    assert url(tenant) not in client.get(reverse("desk:inbox", kwargs={"tenant_slug": tenant.slug})).content.decode()
    assert stored(tenant) == before


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_a_change_is_stored_as_a_new_version(client: Client, tenant: Tenant, role: Role) -> None:
    client.force_login(make_user(tenant, role))
    assert client.get(url(tenant)).status_code == 200
    assert client.post(url(tenant), VALID).status_code == 302
    assert stored(tenant) == STORED
    shown = client.get(url(tenant)).content.decode()
    assert "###\nEND</textarea>" in shown
    assert f'href="{url(tenant)}"' in shown


def test_saving_what_is_there_makes_no_version(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    client.post(url(tenant), VALID)
    client.post(url(tenant), VALID | {"based_on": "2"})
    assert stored(tenant)["version"] == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 61),
        ("style", "poetry"),
        ("style", "free"),
        ("instructions", "x" * 2001),
        ("temperature", "2.1"),
        ("temperature", "nan"),
        ("top_p", "0"),
        ("max_tokens", "15"),
        ("max_tokens", "4096"),
        ("seed", "-1"),
        ("seed", str(2**31)),
        ("stop", "a\nb\nc\nd\ne"),
        ("stop", "x" * 65),
        ("based_on", ""),
    ],
)
def test_what_cannot_be_used_is_refused_and_comes_back(client: Client, tenant: Tenant, field: str, value: str) -> None:
    before = stored(tenant)
    client.force_login(make_user(tenant, Role.OWNER))
    response = client.post(url(tenant), VALID | {field: value})
    assert (response.status_code, list(response.context["form"].errors)) == (400, [field])
    assert stored(tenant) == before


def test_a_change_of_somebody_else_is_not_overwritten_unseen(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    client.post(url(tenant), VALID)
    late = client.post(url(tenant), VALID | {"name": "Moss"})
    assert (late.status_code, stored(tenant)["name"]) == (409, "Fern")
    assert 'name="based_on" value="2"' in late.content.decode()
    assert client.post(url(tenant), VALID | {"name": "Moss", "based_on": "2"}).status_code == 302
    assert (stored(tenant)["name"], stored(tenant)["version"]) == ("Moss", 3)


def test_another_tenants_assistant_stays_as_it_is(client: Client, tenant: Tenant) -> None:
    other = make_tenant()
    before = stored(other)
    client.force_login(make_user(tenant, Role.OWNER))
    client.post(url(tenant), VALID)
    assert stored(other) == before


def test_the_models_that_workers_serve_are_offered(client: Client, tenant: Tenant) -> None:
    report(status("worker-2", alias="exact"))
    client.force_login(make_user(tenant, Role.ADMIN))
    assert 'value="exact"' in client.get(url(tenant)).content.decode()
    client.post(url(tenant), VALID | {"model": "exact"})
    with tenant_atomic(tenant.id):
        assert Assistant.objects.get().model == "exact"
    remove_heartbeat("worker-2")


def test_a_model_that_nobody_serves_stays_chosen_and_says_so(client: Client, tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        Assistant.objects.update(model="gone")
    client.force_login(make_user(tenant, Role.ADMIN))
    assert "gone (not available now)" in client.get(url(tenant)).content.decode()
    assert client.post(url(tenant), VALID | {"model": "never-heard-of"}).status_code == 400

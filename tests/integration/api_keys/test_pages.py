"""The desk's page about API keys: who may, what is shown once, what revoking does."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from helpdesk.api_keys import showing
from helpdesk.api_keys.domain import create_key, recognise
from helpdesk.api_keys.errors import InvalidApiKey
from helpdesk.api_keys.models import ApiKey
from helpdesk.api_keys.scopes import Scope
from helpdesk.api_keys.showing import SESSION_ENTRY
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership
from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db

ALLOWED = [Role.OWNER, Role.ADMIN]
REFUSED = [Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER]
FORM = {"name": "Shop backend", "scopes": ["answers:write", "stats:read"], "lifetime": "90"}


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def key(tenant: Tenant) -> ApiKey:
    return create_key(tenant_id=tenant.id, name="Nightly <export>", scopes=[Scope.STATS_READ]).key


def keys_of(tenant: Tenant) -> list[Any]:
    with tenant_atomic(tenant.id):
        return list(ApiKey.objects.order_by("id").values())


def page_of(tenant: Tenant) -> str:
    return reverse("api_keys:list", args=[tenant.slug])


def calls(client: Client, tenant: Tenant, key_id: uuid.UUID) -> list[Any]:
    """Every page and action, as this client."""
    return [
        client.get(page_of(tenant)),
        client.post(page_of(tenant), FORM),
        client.post(reverse("api_keys:revoke", args=[tenant.slug, key_id])),
    ]


def test_anonymous_outsiders_and_other_roles_are_refused_and_change_nothing(
    client: Client, tenant: Tenant, key: ApiKey
) -> None:
    before = keys_of(tenant)
    assert all(response.url.startswith(reverse("account_login")) for response in calls(client, tenant, key.id))
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert {response.status_code for response in calls(client, tenant, key.id)} == {404}
    for role in REFUSED:
        client.force_login(make_user(tenant, role))
        assert {response.status_code for response in calls(client, tenant, key.id)} == {403}
        inbox = client.get(reverse("desk:inbox", args=[tenant.slug])).content.decode()
        assert page_of(tenant) not in inbox
    assert keys_of(tenant) == before


@pytest.mark.parametrize("role", ALLOWED)
def test_owners_and_admins_are_served(client: Client, tenant: Tenant, key: ApiKey, role: Role) -> None:
    client.force_login(make_user(tenant, role))
    assert [response.status_code for response in calls(client, tenant, key.id)] == [200, 302, 302]


def test_another_tenants_key_cannot_be_revoked_from_ones_own_desk(client: Client, tenant: Tenant, key: ApiKey) -> None:
    own = make_tenant()
    client.force_login(make_user(own, Role.OWNER))
    assert client.post(reverse("api_keys:revoke", args=[own.slug, key.id])).status_code == 404
    assert keys_of(tenant)[0]["revoked_at"] is None


def texts_in(page: str) -> list[str]:
    return re.findall(r"gd_[a-z2-7_]{80,}", page)


def test_the_text_is_shown_once_and_works(client: Client, tenant: Tenant) -> None:
    client.force_login(user := make_user(tenant, Role.OWNER))
    response = client.post(page_of(tenant), FORM)
    assert (response.status_code, response["Location"]) == (302, page_of(tenant))
    client.head(page_of(tenant))
    shown = client.get(page_of(tenant))
    (text,) = texts_in(shown.content.decode())
    assert "no-store" in shown["Cache-Control"]
    assert recognise(text).scopes == set(FORM["scopes"])
    again = client.get(page_of(tenant)).content.decode()
    assert text.rpartition("_")[2] not in again
    (stored,) = keys_of(tenant)
    lifetime = stored["expires_at"] - stored["created_at"]
    assert (stored["created_by_id"], round(lifetime / timedelta(days=1))) == (user.pk, 90)


def test_what_waits_to_be_shown_is_sealed_and_gone_afterwards(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    client.post(page_of(tenant), FORM)
    waiting = json.dumps(dict(client.session.items()))
    (text,) = texts_in(client.get(page_of(tenant)).content.decode())
    assert SESSION_ENTRY in waiting
    assert text not in waiting
    assert text.rpartition("_")[2] not in waiting
    assert SESSION_ENTRY not in client.session


def test_a_new_key_is_shown_neither_late_nor_at_another_desk_nor_to_somebody_else(
    client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = make_tenant()
    user = make_user(tenant, Role.OWNER)
    with tenant_atomic(own.id):
        Membership.objects.create(user=user, role=Role.OWNER)
    client.force_login(user)
    client.post(page_of(tenant), FORM)
    elsewhere = Client()
    elsewhere.force_login(make_user(tenant, Role.OWNER))
    assert texts_in(elsewhere.get(page_of(tenant)).content.decode()) == []
    assert texts_in(client.get(page_of(own)).content.decode()) == []
    assert texts_in(client.get(page_of(tenant)).content.decode()) == []
    client.post(page_of(tenant), FORM)
    monkeypatch.setattr(showing, "SHOWN_WITHIN", timedelta(0))
    assert texts_in(client.get(page_of(tenant)).content.decode()) == []


def test_what_is_wrong_is_said_and_nothing_is_made(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    for wrong, sentence in (
        ({"scopes": []}, "Choose at least one."),
        ({"scopes": ["everything"]}, "everything"),
        ({"name": ""}, "required"),
        ({"lifetime": "7"}, "7"),
        ({"requests_per_minute": "0"}, "greater than or equal to 1"),
    ):
        response = client.post(page_of(tenant), FORM | wrong)
        assert response.status_code == 400
        assert sentence in response.content.decode()
    assert keys_of(tenant) == []


def test_a_revoked_key_opens_nothing_and_stays_in_the_list(client: Client, tenant: Tenant) -> None:
    created = create_key(tenant_id=tenant.id, name="Nightly <export>", scopes=[Scope.STATS_READ])
    client.force_login(user := make_user(tenant, Role.ADMIN))
    client.post(reverse("api_keys:revoke", args=[tenant.slug, created.key.id]))
    with pytest.raises(InvalidApiKey):
        recognise(created.text)
    page = client.get(page_of(tenant)).content.decode()
    assert "Nightly &lt;export&gt;" in page
    assert "Revoked" in page
    assert keys_of(tenant)[0]["revoked_by_id"] == user.pk


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_a_fixed_number_of_queries(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: Any
) -> None:
    user = make_user(tenant, Role.OWNER)
    for _ in range(count):
        create_key(tenant_id=tenant.id, name="Shop", scopes=[Scope.STATS_READ], created_by=user)
    client.force_login(user)
    client.get(page_of(tenant))
    with django_assert_num_queries(12):
        response = client.get(page_of(tenant))
    assert len(response.context["rows"]) == count

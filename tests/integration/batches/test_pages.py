"""The desk's page about batch jobs: who may, what it shows, what cancelling does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from batches.models import Batch
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.batches.jobs import current, progress, submit

pytestmark = pytest.mark.django_db

ALLOWED = [Role.OWNER, Role.ADMIN]
REFUSED = [Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER]


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def page_of(tenant: Tenant) -> str:
    return reverse("batches:list", args=[tenant.slug])


def results_of(tenant: Tenant, batch_id: Any) -> str:
    return reverse("batches:results", args=[tenant.slug, batch_id])


def calls(client: Client, tenant: Tenant, batch_id: Any) -> list[Any]:
    return [
        client.get(page_of(tenant)),
        client.get(results_of(tenant, batch_id)),
        client.post(reverse("batches:cancel", args=[tenant.slug, batch_id])),
    ]


def test_anonymous_outsiders_and_other_roles_are_refused_and_change_nothing(client: Client, tenant: Tenant) -> None:
    batch = submit(tenant, count=2)
    assert [response.status_code for response in calls(client, tenant, batch.id)] == [302] * 3
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert [response.status_code for response in calls(client, tenant, batch.id)] == [404] * 3
    for role in REFUSED:
        client.force_login(make_user(tenant, role))
        assert [response.status_code for response in calls(client, tenant, batch.id)] == [403] * 3
    assert current(batch).state == "queued"


@pytest.mark.parametrize("role", ALLOWED)
def test_owners_and_admins_see_and_cancel(client: Client, tenant: Tenant, role: Role) -> None:
    other = make_tenant()
    foreign = submit(other, count=1, name="Somebody else's")
    batch = submit(tenant, count=2, name="Nightly <export>")
    client.force_login(make_user(tenant, role))
    page = client.get(page_of(tenant)).content.decode()
    assert "Nightly &lt;export&gt;" in page
    assert "Somebody else" not in page
    assert "hx-trigger" in page
    assert client.post(reverse("batches:cancel", args=[tenant.slug, foreign.id])).status_code == 404
    response = client.post(reverse("batches:cancel", args=[tenant.slug, batch.id]))
    assert (response.status_code, current(batch).state, progress(batch).cancelled) == (302, "cancelled", 2)
    assert current(foreign).state == "queued"
    # Nothing moves any more, so that nothing asks again.
    assert "hx-trigger" not in client.get(f"{page_of(tenant)}?rows").content.decode()


def test_a_list_of_any_length_takes_the_same_queries(
    client: Client, tenant: Tenant, django_assert_num_queries: Any
) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    for _ in range(3):
        submit(tenant, count=1)
        with django_assert_num_queries(13):
            client.get(page_of(tenant))


def test_a_batch_without_a_name_is_called_by_its_time(client: Client, tenant: Tenant) -> None:
    batch = submit(tenant, count=2)
    with tenant_atomic(tenant.id):
        Batch.objects.update(created_at=datetime(2026, 3, 9, 14, 3, tzinfo=UTC))
    client.force_login(make_user(tenant, Role.OWNER))
    page = client.get(page_of(tenant)).content.decode()
    assert "Batch of 9 Mar 2026, 14:03" in page
    assert f">{batch.id}<" not in page


def test_results_are_a_file_of_what_has_ended(client: Client, tenant: Tenant) -> None:
    foreign = submit(make_tenant(), count=1, name="Somebody else's")
    batch = submit(tenant, count=3)
    client.force_login(make_user(tenant, Role.ADMIN))
    assert results_of(tenant, batch.id) not in client.get(page_of(tenant)).content.decode()
    client.post(reverse("batches:cancel", args=[tenant.slug, batch.id]))
    assert results_of(tenant, batch.id) in client.get(page_of(tenant)).content.decode()
    response = client.get(results_of(tenant, batch.id))
    rows = [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]
    assert [(row["position"], row["state"]) for row in rows] == [(1, "cancelled"), (2, "cancelled"), (3, "cancelled")]
    assert response["Content-Disposition"].startswith(f'attachment; filename="glassdesk-{tenant.slug}-batch-')
    assert "no-store" in response["Cache-Control"]
    assert client.get(results_of(tenant, foreign.id)).status_code == 404

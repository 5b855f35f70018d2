"""The demo's people: one for each role, who can sign in as it is printed."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from helpdesk.demo.management.commands import load_demo
from helpdesk.demo.tenants import DEMO_PASSWORD, DEMO_PEOPLE, DEMO_TENANTS
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The demo tenants without their articles; hashes that cost nothing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(load_demo, "call_command", lambda *args, **options: None)
    call_command("load_demo")


def roles_of(slug: str) -> dict[str, str]:
    with tenant_atomic(Tenant.objects.get(slug=slug).id):
        return dict(Membership.objects.values_list("user__email", "role"))


def test_each_company_has_one_person_for_each_role_also_when_loaded_again(demo: None) -> None:
    call_command("load_demo")
    assert {person.role for person in DEMO_PEOPLE} == set(Role)
    for tenant in DEMO_TENANTS:
        assert roles_of(tenant.slug) == {f"{role}@{tenant.slug}.example": role for role in Role}
    assert User.objects.count() == len(DEMO_TENANTS) * len(Role)


def test_what_is_printed_signs_in(demo: None) -> None:
    printed = StringIO()
    call_command("demo_addresses", port=8123, stdout=printed)
    lines = printed.getvalue()
    assert "http://localhost:8123/desk/" in lines
    assert ", ".join(Role) in lines
    assert f"password: {DEMO_PASSWORD}" in lines
    emails = [person.email(tenant.slug) for tenant in DEMO_TENANTS for person in DEMO_PEOPLE]
    assert [email for email in emails if authenticate(None, email=email, password=DEMO_PASSWORD) is None] == []


def test_the_viewer_looks_and_the_admin_sets(demo: None, client: Client) -> None:
    pages: dict[str, Any] = {}
    for name in ("viewer", "admin"):
        client.force_login(User.objects.get(email=f"{name}@mossgate.example"))
        views = ("desk:inbox", "knowledge:list", "tracing:list", "desk:assistant", "api_keys:list", "batches:list")
        pages[name] = [client.get(reverse(view, args=["mossgate"])).status_code for view in views]
    assert pages == {"viewer": [200, 200, 200, 403, 403, 403], "admin": [200] * 6}


def test_a_desk_of_ones_own_has_no_demo(settings: Any, client: Client) -> None:
    settings.DEMO_COMPANIES = []
    call_command("load_demo")
    printed = StringIO()
    call_command("demo_addresses", port=8123, stdout=printed)
    assert (Tenant.objects.count(), User.objects.count()) == (0, 0)
    assert DEMO_PASSWORD not in printed.getvalue()
    assert client.get("/demo/mossgate/").status_code == 404


def test_an_unknown_demo_company_is_refused(settings: Any) -> None:
    settings.DEMO_COMPANIES = ["mossgate", "mosgate"]
    with pytest.raises(ImproperlyConfigured, match="mosgate is none of them"):
        call_command("load_demo")

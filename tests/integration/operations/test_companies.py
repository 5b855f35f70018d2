"""A company from nothing: made from the shell, its owner signs in, its website may show the widget."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError
from django.test import Client
from django.urls import reverse

from conversations.models import Assistant
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from tests.factories import PASSWORD, make_tenant
from tests.integration.users.joining import choose_password, link_in, run

pytestmark = pytest.mark.django_db

NEW = {"name": "Green Tea", "contact": "help@tea.example", "owner": "Lin@Tea.example"}


def test_a_new_companys_owner_chooses_a_password_and_sees_the_desk(client: Client) -> None:
    said = run("create_company", "green-tea", **NEW, site=["https://tea.example"], address="https://desk.example/")

    tenant = Tenant.objects.get(slug="green-tea")
    with tenant_atomic(tenant.id):
        assert Assistant.objects.get(is_default=True).name == "Green Tea"
    assert '<script src="https://desk.example/static/widget/loader.js" data-tenant="green-tea" async></script>' in said
    link = link_in(said)
    assert f"https://desk.example{link}" in said
    assert choose_password(client, link, password=PASSWORD).url == "/desk/green-tea/inbox/"

    client.logout()
    client.post(reverse("account_login"), {"login": "lin@tea.example", "password": PASSWORD})
    inbox = client.get("/desk/green-tea/inbox/").content.decode()
    assert ("/desk/green-tea/knowledge/" in inbox, "/demo/" in inbox) == (True, False)


def test_only_the_named_websites_may_show_the_widget(client: Client) -> None:
    tenant = make_tenant()
    frame = reverse("widget:frame", kwargs={"tenant_slug": tenant.slug})
    assert "No website" in run("widget_sites", tenant.slug)
    assert run("widget_sites", tenant.slug, "https://Shop.example/", "http://localhost:3000").split() == [
        "https://shop.example",
        "http://localhost:3000",
    ]
    policy = client.get(frame)["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://shop.example http://localhost:3000" in policy
    with pytest.raises(CommandError, match="not both"):
        run("widget_sites", tenant.slug, "https://shop.example", none=True)
    assert "No website" in run("widget_sites", tenant.slug, none=True)
    assert "shop.example" not in client.get(frame)["Content-Security-Policy"]


@pytest.mark.parametrize(
    "site",
    ["shop.example", "ftp://shop.example", "https://shop.example/a", "https://*", "https://a b", "https://u@x.example",
     "https://x.example:port", "https://x.example; script-src *", "https://", "*"],
)  # fmt: skip
def test_what_is_no_website_is_refused(site: str) -> None:
    tenant = make_tenant()
    with pytest.raises(CommandError, match="is not a website"):
        run("widget_sites", tenant.slug, site)
    tenant.refresh_from_db()
    assert tenant.allowed_origins == []


@pytest.mark.parametrize(
    ("slug", "changed", "message"),
    [
        ("Green Tea", {}, "slug: Use 3 to 40 lowercase letters"),
        ("taken", {}, "slug: .*already exists"),
        ("green-tea", {"contact": "nobody"}, "contact_email"),
        ("green-tea", {"owner": "nobody"}, "nobody is no e-mail address"),
        ("green-tea", {"name": " "}, "name"),
        ("green-tea", {"site": ["tea.example"]}, "is not a website"),
    ],
)
def test_a_company_that_cannot_be_made_leaves_nothing(slug: str, changed: dict[str, Any], message: str) -> None:
    make_tenant("taken")
    with pytest.raises(CommandError, match=message):
        run("create_company", slug, **(NEW | changed))
    assert [tenant.slug for tenant in Tenant.objects.all()] == ["taken"]
    assert not User.objects.exists()


def test_a_company_that_is_not_there_is_said_to_be_missing() -> None:
    for command, arguments in {"invite_person": ["a@b.example"], "widget_sites": [], "people": []}.items():
        with pytest.raises(CommandError, match="doesn't exist"):
            run(command, "nowhere", *arguments, **({"role": "agent"} if arguments else {}))

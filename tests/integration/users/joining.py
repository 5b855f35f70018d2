"""What the tests of invitations share: inviting from the shell, and a person with a browser."""

from __future__ import annotations

from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.management import call_command
from django.test import Client

from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership

PAGE = "/accounts/invitation/"
NEW_PASSWORD = "another-long-password-7"


def run(command: str, *arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, **options)
    return out.getvalue()


def link_in(text: str) -> str:
    """The path of the only invitation's link in a text."""
    [link] = [word for word in text.split() if PAGE in word]
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def invite(tenant: Tenant, email: str, role: str = "agent") -> str:
    """The link that the command prints."""
    return link_in(run("invite_person", tenant.slug, email, role=role))


def token_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


def choose_password(client: Client, link: str, *, name: str = "Lin Wu", password: str = NEW_PASSWORD) -> Any:
    client.get(link)
    return client.post(PAGE, {"name": name, "password1": password, "password2": password})


def roles(tenant: Tenant) -> dict[str, str]:
    """The company's members by address."""
    with tenant_atomic(tenant.id):
        return dict(Membership.objects.values_list("user__email", "role"))

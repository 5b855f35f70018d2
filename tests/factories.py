"""Rows for tests, made through the product's own functions where there are any."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable
from typing import Any

from conversations.domain import begin_visit
from conversations.identity.tickets import issue_ticket
from conversations.inbound import from_visitor
from conversations.intake import receive
from conversations.models import Assistant, Conversation, Message, Reply
from helpdesk.api_keys.domain import create_key
from helpdesk.api_keys.scopes import Scope
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.tenants.sites import OWN
from helpdesk.users.models import Membership, User

_numbers = itertools.count(1)
PASSWORD = "correct-horse-battery-staple"


def make_tenant(slug: str | None = None, **fields: object) -> Tenant:
    """A tenant with its default assistant."""
    slug = slug or f"tenant-{next(_numbers)}"
    tenant = Tenant.objects.create(
        **{"slug": slug, "name": slug.title(), "contact_email": f"help@{slug}.example"} | fields
    )
    with tenant_atomic(tenant.id):
        Assistant.objects.create(name="Moss")
    return tenant


def make_user(tenant: Tenant | None = None, role: Role = Role.AGENT, email: str | None = None) -> User:
    """A person, with a membership when a tenant is given."""
    number = next(_numbers)
    user = User.objects.create_user(email or f"person{number}@example.org", PASSWORD, name=f"Person {number}")
    if tenant is not None:
        with tenant_atomic(tenant.id):
            Membership.objects.create(user=user, role=role)
    return user


def make_question(
    tenant: Tenant,
    body: str = "How long does delivery take?",
    *,
    visitor_id: uuid.UUID | None = None,
    language: str = "en",
) -> tuple[Conversation, Message, Reply | None]:
    """A customer's message with the reply that was queued for it."""
    visitor_id = visitor_id or begin_visit(tenant.id)
    posted = receive(
        from_visitor(tenant_id=tenant.id, visitor_id=visitor_id, client_id=uuid.uuid4(), body=body, language=language)
    )
    return posted.conversation, posted.message, posted.reply


def make_ticket(tenant: Tenant, origin: str = OWN) -> str:
    """What the chat's frame brings along on pages of this origin; the desk's own unless one is named."""
    return issue_ticket(tenant, origin)


def make_api_key(tenant: Tenant, scopes: Iterable[str] = tuple(Scope.values), **fields: Any) -> str:
    """The text of a new key of the tenant; with every scope when none is named."""
    return create_key(tenant_id=tenant.id, name="Tests", scopes=scopes, **fields).text

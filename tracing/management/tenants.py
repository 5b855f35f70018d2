"""Naming tenants on the command line."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.management.base import CommandError

from helpdesk.errors import NotFound
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.queries import tenant_by_slug


def named_tenants(slugs: Iterable[str]) -> list[Tenant]:
    """The tenants of these slugs, all tenants without any. Raises CommandError for a slug that does not exist."""
    named = [named_tenant(slug) for slug in slugs]
    return named or list(Tenant.objects.order_by("slug"))


def named_tenant(slug: str) -> Tenant:
    """The tenant of this slug; raises CommandError."""
    try:
        return tenant_by_slug(slug)
    except NotFound:
        raise CommandError(f"There is no tenant {slug}.") from None

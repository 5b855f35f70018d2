"""Finding tenants."""

from __future__ import annotations

from helpdesk.errors import NotFound
from helpdesk.tenants.models import Tenant


def tenant_by_slug(slug: str) -> Tenant:
    """The tenant of that slug; raises NotFound."""
    try:
        return Tenant.objects.get(slug=slug)
    except Tenant.DoesNotExist:
        raise NotFound from None

"""Whether a tenant's scope is open."""

from __future__ import annotations

from uuid import UUID

from helpdesk.tenants.scope import TenantScopeMissing, current_tenant_id


def tenant_in_scope() -> UUID | None:
    """The tenant in scope, or None."""
    try:
        return current_tenant_id()
    except TenantScopeMissing:
        return None

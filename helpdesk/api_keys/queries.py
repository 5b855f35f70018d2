"""Reading keys. Every function expects to run inside `tenant_atomic`."""

from __future__ import annotations

from django.db.models import QuerySet

from helpdesk.api_keys.models import ApiKey


def keys_of_tenant() -> QuerySet[ApiKey]:
    """All keys, the newest first, with who made them."""
    rows: QuerySet[ApiKey] = ApiKey.objects.select_related("created_by").order_by("-created_at", "id")
    return rows

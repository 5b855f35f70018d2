"""Template context: the tenant and membership that the view has established."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def current_tenant(request: HttpRequest) -> dict[str, Any]:
    """`tenant`, `membership` and `rights` for the desk's pages; empty elsewhere."""
    return {
        "tenant": getattr(request, "tenant", None),
        "membership": getattr(request, "membership", None),
        "rights": getattr(request, "rights", frozenset()),
    }

"""The page where owners and admins make and revoke keys."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.api_keys import domain
from helpdesk.api_keys.forms import ApiKeyForm
from helpdesk.api_keys.models import ApiKey, KeyState
from helpdesk.api_keys.queries import keys_of_tenant
from helpdesk.api_keys.scopes import Scope
from helpdesk.api_keys.showing import keep_to_show, take_to_show
from helpdesk.errors import InvalidInput
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.MANAGE_API_KEYS)
def keys(request: DeskRequest) -> HttpResponse:
    """The tenant's keys; a POST makes one, and the page that follows shows its text, this once."""
    if request.method != "POST":
        shown = take_to_show(request.session, request.tenant.id) if request.method == "GET" else None
        return _page(request, ApiKeyForm(), created=shown)
    form = ApiKeyForm(request.POST)
    created = _create(request, form) if form.is_valid() else None
    if created is None:
        return _page(request, form, status=InvalidInput.status)
    keep_to_show(request.session, request.tenant.id, created)
    return redirect("api_keys:list", tenant_slug=request.tenant.slug)


def _create(request: DeskRequest, form: ApiKeyForm) -> domain.CreatedKey | None:
    data = form.cleaned_data
    try:
        return domain.create_key(
            tenant_id=request.tenant.id,
            name=data["name"],
            scopes=data["scopes"],
            created_by=request.user,
            expires_at=form.expires_at(),
            requests_per_minute=data["requests_per_minute"],
        )
    except InvalidInput as error:
        form.add_error("name", str(error.message))
        return None


@require_POST
@desk_view(Right.MANAGE_API_KEYS)
def revoke(request: DeskRequest, key_id: UUID) -> HttpResponse:
    """End a key for good."""
    key = domain.revoke_key(tenant_id=request.tenant.id, key_id=key_id, revoked_by=request.user)
    messages.success(request, _("“%(name)s” is revoked and no longer works.") % {"name": key.name})
    return redirect("api_keys:list", tenant_slug=request.tenant.slug)


def _page(
    request: DeskRequest, form: ApiKeyForm, *, created: domain.CreatedKey | None = None, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    rows = [_row(key, key.state_at(now)) for key in keys_of_tenant()]
    context = {"form": form, "rows": rows, "created": created}
    return render(request, "api_keys/list.html", context, status=status)


def _row(key: ApiKey, state: KeyState) -> dict[str, Any]:
    return {
        "key": key,
        "code": f"gd_…_{key.prefix}_…",
        "state": state,
        "is_active": state == KeyState.ACTIVE,
        "scopes": _scopes(key),
    }


def _scopes(key: ApiKey) -> list[tuple[str, str]]:
    """Each scope with what it allows in words; one that the desk no longer knows stands for itself."""
    labels = dict(Scope.choices)
    return [(scope, str(labels.get(scope, scope))) for scope in key.scopes]

"""The page on which owners and admins make and revoke the keys of signed identities."""

from __future__ import annotations

import json
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conversations.identity.keys import (
    NAME_CHARACTERS,
    CreatedIdentityKey,
    create_identity_key,
    identity_keys,
    revoke_identity_key,
)
from helpdesk.errors import InvalidInput
from helpdesk.pages import shown_once
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view

ENTRY = "new_identity_key"


class IdentityKeyForm(forms.Form):
    """Which server signs with it."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=NAME_CHARACTERS,
        help_text=gettext_lazy("Where the key will be kept, for example “Shop backend”."),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.MANAGE_WIDGET)
def keys(request: DeskRequest) -> HttpResponse:
    """The tenant's keys; a POST makes one, and the page that follows shows its private half, this once."""
    if request.method != "POST":
        return _page(request, IdentityKeyForm(), created=_taken(request) if request.method == "GET" else None)
    form = IdentityKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=InvalidInput.status)
    try:
        created = create_identity_key(
            tenant_id=request.tenant.id, name=form.cleaned_data["name"], created_by=request.user
        )
    except InvalidInput as error:
        form.add_error("name", str(error.message))
        return _page(request, form, status=InvalidInput.status)
    text = json.dumps([str(created.key.id), created.private_key])
    shown_once.keep(request.session, ENTRY, text, place=request.tenant.id.bytes)
    return redirect("desk:identity_keys", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_WIDGET)
def revoke(request: DeskRequest, key_id: UUID) -> HttpResponse:
    """End a key for good."""
    key = revoke_identity_key(tenant_id=request.tenant.id, key_id=key_id, revoked_by=request.user)
    messages.success(request, _("“%(name)s” is revoked: nobody is signed in with it anymore.") % {"name": key.name})
    return redirect("desk:identity_keys", tenant_slug=request.tenant.slug)


def _taken(request: DeskRequest) -> CreatedIdentityKey | None:
    text = shown_once.take(request.session, ENTRY, place=request.tenant.id.bytes)
    if text is None:
        return None
    key_id, private_key = json.loads(text)
    key = identity_keys().filter(id=key_id).first()
    return CreatedIdentityKey(key, private_key) if key is not None else None


def _page(
    request: DeskRequest, form: IdentityKeyForm, *, created: CreatedIdentityKey | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "keys": list(identity_keys()), "created": created}
    return render(request, "conversations/identity_keys.html", context, status=status)

"""The door to every page of the desk: sign-in, membership, right, then one transaction in the tenant's scope."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from helpdesk.errors import Forbidden
from helpdesk.permissions import RIGHTS, Right, Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import acting_with
from helpdesk.users.models import Membership, User
from helpdesk.users.queries import membership_in
from helpdesk.users.second_step import SecondStepRequired, ask_for_second_step
from helpdesk.users.sign_ins import note_seen


class DeskRequest(HttpRequest):
    """A request that passed `desk_view`."""

    user: User
    tenant: Tenant
    membership: Membership
    rights: frozenset[Right]


def authorise(user: User, slug: str, right: Right) -> Membership:
    """The membership that carries the right. Raises NotFound for outsiders, Forbidden for a role without it,
    and SecondStepRequired."""
    membership = membership_in(user, slug)
    if right not in RIGHTS[Role(membership.role)]:
        raise Forbidden
    # A company's own provider decides about second steps of whom it vouches for.
    if user.only_in is None:
        ask_for_second_step(membership)
    return membership


def desk_view(right: Right) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a view whose URL has `tenant_slug`; it runs inside `tenant_atomic` and an error rolls it back."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, tenant_slug: str, **kwargs: Any) -> HttpResponse:
            try:
                membership = authorise(cast(User, request.user), tenant_slug, right)
            except SecondStepRequired as error:
                if request.method not in {"GET", "HEAD"} or getattr(request, "htmx", False):
                    raise
                messages.warning(request, str(error.message))
                return redirect("mfa_index")
            desk = cast(DeskRequest, request)
            desk.tenant, desk.membership = membership.tenant, membership
            desk.rights = RIGHTS[Role(membership.role)]
            with acting_with(desk.rights), tenant_atomic(membership.tenant.id):
                note_seen(desk, membership)
                return view(desk, **kwargs)

        return guarded

    return decorate

"""The door to every page of the desk: sign-in, membership, right, then one transaction in the tenant's scope."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse

from helpdesk.errors import Forbidden
from helpdesk.permissions import RIGHTS, Right, Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import acting_with
from helpdesk.users.models import Membership, User
from helpdesk.users.queries import membership_in
from helpdesk.users.sign_ins import note_seen


class DeskRequest(HttpRequest):
    """A request that passed `desk_view`."""

    user: User
    tenant: Tenant
    membership: Membership
    rights: frozenset[Right]


def authorise(user: User, slug: str, right: Right) -> Membership:
    """The membership that carries the right. Raises NotFound for outsiders, Forbidden for a role without it."""
    membership = membership_in(user, slug)
    if right not in RIGHTS[Role(membership.role)]:
        raise Forbidden
    return membership


def desk_view(right: Right) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a view whose URL has `tenant_slug`; it runs inside `tenant_atomic` and an error rolls it back."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, tenant_slug: str, **kwargs: Any) -> HttpResponse:
            membership = authorise(cast(User, request.user), tenant_slug, right)
            desk = cast(DeskRequest, request)
            desk.tenant, desk.membership = membership.tenant, membership
            desk.rights = RIGHTS[Role(membership.role)]
            with acting_with(desk.rights), tenant_atomic(membership.tenant.id):
                note_seen(desk, membership)
                return view(desk, **kwargs)

        return guarded

    return decorate

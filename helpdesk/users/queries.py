"""People by address, and memberships: which tenants a person belongs to, and with which role."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet

from helpdesk.errors import NotFound
from helpdesk.permissions import RIGHTS, Right
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import user_atomic
from helpdesk.users.email_addresses import canonical_or_empty
from helpdesk.users.models import Membership, User


def account_of(email: str) -> User | None:
    """The account of exactly that address; one from before there was one spelling answers to its own."""
    return User.objects.filter(email=canonical_or_empty(email) or email).first()


def tenants_of(user: User) -> list[tuple[Tenant, str]]:
    """The person's tenants with the role in each, by name, as far as their session is for them."""
    with user_atomic(user.pk):
        rows = cast("QuerySet[Membership]", Membership.across_tenants.filter(user=user)).select_related("tenant")
        if user.only_in is not None:
            rows = rows.filter(tenant_id=user.only_in)
        return [(row.tenant, row.role) for row in rows.order_by("tenant__name")]


def people_with(right: Right) -> list[User]:
    """The people of the tenant in scope who have that right, by name; runs inside `tenant_atomic`."""
    roles = [role for role, rights in RIGHTS.items() if right in rights]
    members = Membership.objects.filter(role__in=roles, user__is_active=True).select_related("user")
    return sorted((member.user for member in members), key=lambda user: (str(user).lower(), user.pk))


def membership_in(user: User, slug: str) -> Membership:
    """The person's membership in that tenant; NotFound for an outsider, an unknown tenant and a session of another company."""
    with user_atomic(user.pk):
        membership = Membership.across_tenants.filter(user=user, tenant__slug=slug).select_related("tenant").first()
    if membership is None or user.only_in not in (None, membership.tenant_id):
        raise NotFound
    return cast(Membership, membership)

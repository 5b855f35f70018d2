"""Who belongs to a company, and changing that: roles and removals. They hold from the next request on, and for open sockets.

Owners are changed by owners only, and a company keeps at least one.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Conflict, Forbidden, NotFound
from helpdesk.facts.kinds import FactKind, user_actor
from helpdesk.facts.recording import record
from helpdesk.permissions import Right, Role, has_right
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from helpdesk.users.invitations import end_open
from helpdesk.users.models import Membership, User
from helpdesk.users.noting import PeopleChange, notes

logger = structlog.get_logger(__name__)


class LastOwner(Conflict):
    """Nobody could change anything about the company's people any more."""

    code = "last_owner"
    message = _("A company needs an owner. Make somebody else an owner first.")


@dataclass(frozen=True, slots=True)
class _Locked:
    """The rows that a change depends on, as they are now; nobody else changes them until it is done."""

    target: Membership
    is_last_owner: bool


def may_give(role: str, target: str) -> bool:
    """Whether somebody of that role may give the target role to others, or take it from them."""
    needed = Right.MANAGE_OWNERS if target == Role.OWNER else Right.MANAGE_PEOPLE
    return has_right(role, needed)


def members() -> list[Membership]:
    """Who belongs to the company in scope, with their people, those who joined first at the top."""
    return list(Membership.objects.select_related("user").order_by("created_at", "id"))


@needs(Right.MANAGE_PEOPLE)
def change_role(tenant: Tenant, *, membership_id: UUID, role: Role, by: Membership | None = None) -> Membership:
    """Give a member another role; the same one changes nothing. Without `by` it is done from the shell.

    Raises NotFound, Forbidden, LastOwner, and what noting raises.
    """
    with tenant_atomic(tenant.id):
        locked = _lock(membership_id, by, new_role=role)
        membership, before = locked.target, locked.target.role
        if before == role:
            return membership
        if locked.is_last_owner:
            raise LastOwner
        membership.role = role
        membership.save(update_fields=["role"])
        person, user, new, old = membership.user_id, _user_of(by), str(role), str(before)
        notes().changed(
            PeopleChange.ROLE_CHANGED, subject=membership.id, user=user, person=person, role=new, before=old
        )
        record(
            FactKind.MEMBERSHIP_CHANGED, subject_id=membership.id, actor=user_actor(user),
            person=person, role=new, before=old,
        )  # fmt: skip
    logger.info("role_changed", tenant_id=str(tenant.id), user_id=membership.user_id, role=str(role))
    return membership


@needs(Right.MANAGE_PEOPLE)
def remove_member(tenant: Tenant, *, membership_id: UUID, by: Membership | None = None) -> Membership:
    """End a membership; the account stays. Raises as `change_role` does; a second removal is NotFound."""
    with tenant_atomic(tenant.id):
        locked = _lock(membership_id, by, new_role=None)
        if locked.is_last_owner:
            raise LastOwner
        membership = locked.target
        person, user, role = membership.user_id, _user_of(by), str(membership.role)
        notes().changed(PeopleChange.REMOVED, subject=membership.id, user=user, person=person, role=role)
        record(FactKind.MEMBERSHIP_ENDED, subject_id=membership.id, actor=user_actor(user), person=person, role=role)
        Membership.objects.filter(id=membership.id).delete()
        # A link that was still open would let them in again.
        end_open(membership.user.email, user=user)
    logger.info("person_removed", tenant_id=str(tenant.id), user_id=membership.user_id)
    return membership


def _lock(membership_id: UUID, by: Membership | None, *, new_role: Role | None) -> _Locked:
    """In one order, so that two changes at once wait for each other: the second one sees what the first one left."""
    wanted = Q(role=Role.OWNER) | Q(id__in=[membership_id, by.id] if by else [membership_id])
    rows = {
        row.id: row
        for row in Membership.objects.filter(wanted)
        .order_by("id")
        .select_for_update(of=("self",))
        .select_related("user")
    }
    target = rows.get(membership_id)
    if target is None:
        raise NotFound
    if by is not None:
        # Whoever asks may have lost the role while they waited.
        asking = rows.get(by.id)
        touched = [target.role] if new_role is None else [target.role, new_role]
        if asking is None or not all(may_give(asking.role, role) for role in touched):
            raise Forbidden
    owners = [row for row in rows.values() if row.role == Role.OWNER]
    return _Locked(target, is_last_owner=owners == [target])


def _user_of(by: Membership | None) -> User | None:
    return by.user if by is not None else None

"""Two-step sign-in: who has set it up, which companies require it, and switching that on and off."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import structlog
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Conflict, Forbidden
from helpdesk.permissions import Right, has_right
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.access_news import announce_access
from helpdesk.users.acting import needs
from helpdesk.users.models import Membership, User
from helpdesk.users.noting import PeopleChange, notes
from helpdesk.users.queries import tenants_of

logger = structlog.get_logger(__name__)

# Recovery codes alone are no second step: they come with one.
SECOND_STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class SecondStepRequired(Forbidden):
    """The company wants a second step at sign-in, and this person has none yet."""

    code = "second_step_required"
    message = _("This company requires two-step sign-in. Set it up for your account, then come back.")


class SecondStepFirst(Conflict):
    """Whoever requires it of others has it themselves, and knows that it works."""

    code = "second_step_first"
    message = _("Set up two-step sign-in for your own account first.")


def people_with_second_step(user_ids: Iterable[int]) -> set[int]:
    """Those of them who have set up a second step."""
    rows = Authenticator.objects.filter(user_id__in=list(user_ids), type__in=SECOND_STEPS)
    return set(rows.values_list("user_id", flat=True))


def ask_for_second_step(membership: Membership) -> None:
    """Raises SecondStepRequired for a member without one where it is required."""
    if membership.tenant.requires_second_step and not people_with_second_step([membership.user_id]):
        raise SecondStepRequired


def is_required_of(user: User) -> bool:
    """Whether one of the person's companies requires a second step."""
    return any(tenant.requires_second_step for tenant, _role in tenants_of(user))


@needs(Right.MANAGE_SECURITY)
def require_second_step(tenant: Tenant, *, required: bool, by: Membership | None = None) -> None:
    """Have every member sign in with a second step, or leave it to them; what is so already changes nothing.

    Members without one are led to setting it up with their next request. Raises SecondStepFirst, and what noting raises.
    """
    if by is not None and not has_right(by.role, Right.MANAGE_SECURITY):
        raise Forbidden
    if required and by is not None and not people_with_second_step([by.user_id]):
        raise SecondStepFirst
    with tenant_atomic(tenant.id):
        was = Tenant.objects.filter(id=tenant.id, requires_second_step=not required)
        if was.update(requires_second_step=required) != 1:
            return
        change = PeopleChange.SECOND_STEP_REQUIRED if required else PeopleChange.SECOND_STEP_OPTIONAL
        notes().changed(change, subject=tenant.id, user=by.user if by else None)
        everybody = list(Membership.objects.values_list("user_id", flat=True))
        if required:
            transaction.on_commit(partial(_announce, everybody))
    logger.info("second_step_required" if required else "second_step_optional", tenant_id=str(tenant.id))


def forget_second_step(user: User) -> int:
    """Take every second step and recovery code from an account, for somebody who has lost them all; how many there were."""
    count: int = Authenticator.objects.filter(user=user).delete()[0]
    logger.info("second_step_forgotten", user_id=user.pk, count=count)
    return count


def _announce(user_ids: Iterable[int]) -> None:
    """Open sockets of members without a second step end."""
    for user_id in user_ids:
        announce_access(user_id)

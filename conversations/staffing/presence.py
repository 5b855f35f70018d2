"""Being at the desk: a lease that an open socket renews, and what a person says of themselves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from conversations.models import Staffing
from conversations.staffing.assignment import assign_waiting
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs

# A socket renews it well within that time; behind the last one it runs out.
PRESENT_SECONDS = 60
RENEW_SECONDS = 25
HERE, AWAY, GONE = "here", "away", "gone"


@needs(Right.REPLY)
def stay(*, tenant_id: UUID, user_id: int) -> None:
    """The person has the desk open. Whoever comes gets of what waits, where the company assigns by itself."""
    now = timezone.now()
    until = now + timedelta(seconds=PRESENT_SECONDS)
    with tenant_atomic(tenant_id):
        mine = Staffing.objects.filter(user=user_id)
        # Another page of theirs has renewed it a moment ago.
        if mine.filter(present_until__gt=now + timedelta(seconds=PRESENT_SECONDS - RENEW_SECONDS / 2)).exists():
            return
        was_here = mine.filter(present_until__gt=now).exists()
        if not mine.update(present_until=until):
            Staffing.objects.bulk_create([Staffing(user_id=user_id, present_until=until)], ignore_conflicts=True)
    if not was_here:
        assign_waiting(tenant_id)


@needs(Right.REPLY)
def set_away(*, tenant_id: UUID, user_id: int, is_away: bool) -> None:
    """Say that one takes nothing new for now, or does again. It holds until one says otherwise."""
    with tenant_atomic(tenant_id):
        Staffing.objects.get_or_create(user_id=user_id)
        # What is so already is not written: a row held here, before the lock of the company's rules, would stop whoever has
        # that lock and gives to this person.
        Staffing.objects.filter(user=user_id).exclude(is_away=is_away).update(is_away=is_away)
    if not is_away:
        assign_waiting(tenant_id)


def presence_of(user_ids: Collection[int]) -> dict[int, str]:
    """`here`, `away` or `gone` for each, in one query. Runs inside `tenant_atomic`."""
    found = {each.user_id: each for each in Staffing.objects.filter(user__in=user_ids)}
    return {user_id: _presence(found.get(user_id)) for user_id in user_ids}


def _presence(staffing: Staffing | None) -> str:
    if staffing is not None and staffing.is_away:
        return AWAY
    return HERE if staffing is not None and staffing.is_present else GONE

"""Setting conversations aside: pending until somebody says otherwise, or snoozed until a moment.

Either way the customer's next message brings them back (`conversations.transcript`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.events import record_stage
from conversations.inbox.triage.choosing import IS_UNRESOLVED, MOST_AT_ONCE, chosen
from conversations.models import Conversation, Parked, Stage
from conversations.queries import due_snoozes
from helpdesk.errors import InvalidInput
from helpdesk.facts.kinds import SYSTEM, Actor
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=366)


@needs(Right.REPLY)
def park(conversation_ids: Iterable[UUID], *, parked: Parked, actor: Actor, until: datetime | None = None) -> int:
    """Set them aside, or with `Parked.NO` open them again; `until` goes with snoozing. Raises InvalidInput."""
    _check(parked, until)
    ids = chosen(conversation_ids, IS_UNRESOLVED & ~Q(parked=parked, wakes_at=until))
    Conversation.objects.filter(id__in=ids).update(parked=parked, wakes_at=until)
    if ids and until is not None:
        note(Kind.SNOOZES, due_at=_next_minute(until))
    for each in ids:
        record_stage(each, Stage(parked or Stage.OPEN), actor=actor)
    return len(ids)


def wake_due(tenant_id: UUID) -> int:
    """Open the tenant's snoozed conversations whose time has come; returns how many."""
    woken = 0
    while True:
        with tenant_atomic(tenant_id):
            due = list(due_snoozes().values_list("id", flat=True)[:MOST_AT_ONCE])
            # Somebody may snooze it again meanwhile: what is due is asked once more, under the lock.
            ids = chosen(due, Q(parked=Parked.SNOOZED, wakes_at__lte=timezone.now()))
            Conversation.objects.filter(id__in=ids).update(parked=Parked.NO, wakes_at=None)
            for each in ids:
                record_stage(each, Stage.OPEN, actor=SYSTEM)
        woken += len(ids)
        if len(due) < MOST_AT_ONCE:
            return woken


def _check(parked: Parked, until: datetime | None) -> None:
    if (parked == Parked.SNOOZED) != (until is not None):
        raise InvalidInput(_("Choose when the snooze ends."), parameter="wakes_at")
    now = timezone.now()
    if until is not None and not now + SHORTEST <= until <= now + LONGEST:
        raise InvalidInput(_("Choose a time between a minute and a year from now."), parameter="wakes_at")


def _next_minute(moment: datetime) -> datetime:
    """Snoozes until the same minute share a mark; it lies further away than this transaction can last."""
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)

"""Changing a company's business hours."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID
from zoneinfo import available_timezones

from django.utils.translation import gettext as _

from conversations.models import OpeningHours
from conversations.opening.hours import Span
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs

DAYS = 7


@dataclass(frozen=True, slots=True)
class NewHours:
    """All of it. Raises InvalidInput for a time zone that there is not, and for hours that never open."""

    is_on: bool
    time_zone: str
    week: list[list[Span]]
    special: dict[str, list[Span]]

    def __post_init__(self) -> None:
        if self.time_zone not in available_timezones():
            raise InvalidInput(_("Choose a time zone from the list."), parameter="time_zone")
        if len(self.week) != DAYS:
            raise InvalidInput
        if self.is_on and not any(self.week):
            raise InvalidInput(_("Set the hours of at least one day, or switch business hours off."), parameter="is_on")


@needs(Right.MANAGE_WIDGET)
def change_opening_hours(*, tenant_id: UUID, based_on: int, hours: NewHours, actor: Actor = SYSTEM) -> bool:
    """Store these; False when they are what they were. Raises Conflict when somebody changed them since version `based_on`."""
    values = {
        "is_on": hours.is_on,
        "time_zone": hours.time_zone,
        "week": [[list(span) for span in day] for day in hours.week],
        "special": {day: [list(span) for span in spans] for day, spans in hours.special.items()},
    }
    with tenant_atomic(tenant_id):
        # `based_on` 0: nothing was stored yet. Of two who are the first at once, one makes the row and the other sees it.
        row, is_new = OpeningHours.objects.select_for_update().get_or_create(defaults=values)
        if not is_new:
            if row.version != based_on:
                raise Conflict
            if all(getattr(row, name) == value for name, value in values.items()):
                return False
            for name, value in values.items():
                setattr(row, name, value)
            row.version += 1
            row.save(update_fields=[*values, "version"])
        record(
            FactKind.OPENING_HOURS_CHANGED, subject_id=row.id, actor=actor,
            version=row.version, is_on=int(hours.is_on), special_days=len(hours.special),
        )  # fmt: skip
        return True

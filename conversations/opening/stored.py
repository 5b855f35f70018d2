"""The business hours that a company has set. Inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from conversations.models import OpeningHours
from conversations.opening.hours import Hours


def hours_of(row: OpeningHours) -> Hours:
    """What is stored, to be reckoned with."""
    return Hours(
        zone=ZoneInfo(row.time_zone),
        week=[[(begin, end) for begin, end in day] for day in row.week],
        special={date.fromisoformat(day): [(b, e) for b, e in spans] for day, spans in row.special.items()},
    )


def time_zone() -> ZoneInfo:
    """The zone of the company's own clocks; UTC where it has not said."""
    name = OpeningHours.objects.values_list("time_zone", flat=True).first()
    return ZoneInfo(name or "UTC")


def current_hours() -> Hours | None:
    """Those of the tenant in scope; None when it has none, or switched them off."""
    row: OpeningHours | None = OpeningHours.objects.filter(is_on=True).first()
    return hours_of(row) if row else None


@dataclass(frozen=True, slots=True)
class Wait:
    """How long somebody waits for a person: `minutes`, or else until people are back. Neither where nobody knows."""

    minutes: int | None = None
    back_at: datetime | None = None


def expected_wait(at: datetime, minutes: int) -> Wait:
    """The wait of somebody for whom it takes people so many minutes to be free; what goes past closing time is no promise."""
    hours = current_hours()
    if hours is None or hours.after_open(at, minutes) == at + timedelta(minutes=minutes):
        return Wait(minutes=minutes)
    return Wait(back_at=hours.next_opening(at))


def back_at(at: datetime) -> datetime | None:
    """When the company's people are there again; None while they are, or where nobody knows."""
    hours = current_hours()
    return hours.opens_at(at) if hours else None


def after_minutes_open(at: datetime, minutes: float) -> datetime:
    """The moment so many minutes later, of which only those count in which people are there."""
    hours = current_hours()
    return (hours.after_open(at, minutes) if hours else None) or at + timedelta(minutes=minutes)

"""A company's days: where they begin, and which of them are to be added up. Runs inside `tenant_atomic`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from conversations.models import Conversation, Message
from reports.models import ReportDay, ReportSettings

ONE_DAY = timedelta(days=1)
# A customer who says nothing for so long behind an answer has none.
QUIET = timedelta(hours=24)
# Who answered a conversation is settled so long after it began; as long its day is added up again each night.
SETTLED = timedelta(days=7)


def zone() -> ZoneInfo:
    """The time zone whose midnights end the company's days."""
    name = ReportSettings.objects.values_list("time_zone", flat=True).first()
    return ZoneInfo(name or "UTC")


def beginning(day: date, where: ZoneInfo) -> datetime:
    """The day's first moment. A day is 23 or 25 hours long where clocks are changed in it."""
    return datetime.combine(day, time.min, where).astimezone(UTC)


def day_of(moment: datetime, where: ZoneInfo) -> date:
    """The day that it lies in."""
    return moment.astimezone(where).date()


def due_again(day: date, where: ZoneInfo, now: datetime) -> datetime | None:
    """When the figures of that day, added up now, are added up anew; None once they are settled."""
    settled = beginning(day + ONE_DAY, where) + SETTLED
    if now >= settled:
        return None
    return min(beginning(day_of(now, where) + ONE_DAY, where), settled)


def first_day(where: ZoneInfo) -> date | None:
    """The day of the company's first conversation."""
    first = Conversation.objects.order_by("created_at").values_list("created_at", flat=True).first()
    return None if first is None else day_of(first, where)


def first_kept_day(where: ZoneInfo) -> date | None:
    """The day of the oldest message that is still kept: what lies before it cannot be counted anew."""
    first = Message.objects.order_by("created_at").values_list("created_at", flat=True).first()
    return None if first is None else day_of(first, where)


def missing_days(where: ZoneInfo, now: datetime) -> list[date]:
    """Days that are over and have never been added up, the oldest first."""
    first, today = first_day(where), day_of(now, where)
    if first is None:
        return []
    known = set(ReportDay.objects.filter(day__gte=first, day__lt=today).values_list("day", flat=True))
    return [day for day in (first + ONE_DAY * n for n in range((today - first).days)) if day not in known]


def days_due(where: ZoneInfo, now: datetime) -> list[date]:
    """What has to be added up now: what never was, and what may have changed."""
    again = ReportDay.objects.filter(due_at__lte=now).order_by("day").values_list("day", flat=True)
    return [*missing_days(where, now), *again]


def has_days_due() -> bool:
    """Whether there is a day to add up."""
    where, now = zone(), timezone.now()
    return bool(ReportDay.objects.filter(Q(due_at__lte=now)).exists() or missing_days(where, now))

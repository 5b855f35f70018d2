"""The figures of a period and of the one before it: rows of the days that are over, and today counted now. In `tenant_atomic`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.utils import timezone

from helpdesk.tenants.scope import current_tenant_id
from reports.counting import Selection, count
from reports.days import ONE_DAY, beginning, day_of, missing_days, zone
from reports.models import DayFigures
from reports.names import Figures

LONGEST_DAYS = 366
# Days that are over and were not added up yet, as just after midnight, are counted like today; more would take too long.
MOST_COUNTED_NOW = 2
KEPT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """A period, with its first and its last day, and which conversations."""

    since: date
    until: date
    selection: Selection = field(default_factory=Selection)

    @property
    def length(self) -> int:
        """How many days it has."""
        return (self.until - self.since).days + 1

    @property
    def days(self) -> list[date]:
        """All of them, the oldest first."""
        return [self.since + ONE_DAY * n for n in range(self.length)]


@dataclass(frozen=True, slots=True)
class Read:
    """What was found: `total` of the period, its days, and the total of as many days before it.

    `pending` is how many days of the period are still to be added up.
    """

    wanted: Wanted
    where: ZoneInfo
    total: Figures
    days: dict[date, Figures]
    before: Figures
    pending: int


def read(wanted: Wanted) -> Read:
    """In four queries, however much was said."""
    where, now = zone(), timezone.now()
    first = wanted.since - ONE_DAY * wanted.length
    found = _stored(wanted.selection, first, wanted.until)
    today = day_of(now, where)
    missing = [day for day in missing_days(where, now) if wanted.since <= day <= wanted.until]
    counted_now = missing[-MOST_COUNTED_NOW:]
    if wanted.since <= today <= wanted.until:
        counted_now.append(today)
    for day in counted_now:
        found[day] = _counted_now(day, where).get(wanted.selection, Counter())
    return Read(
        wanted=wanted,
        where=where,
        total=_sum(figures for day, figures in found.items() if day >= wanted.since),
        days={day: found.get(day, Counter()) for day in wanted.days},
        before=_sum(figures for day, figures in found.items() if day < wanted.since),
        pending=max(len(missing) - MOST_COUNTED_NOW, 0),
    )


def today_of_company() -> date:
    """The day that the company has now."""
    return day_of(timezone.now(), zone())


def _counted_now(day: date, where: ZoneInfo) -> dict[Selection, Figures]:
    """What is counted while the page is asked for is kept for a moment, for everybody in the company."""
    key = f"report-day:{current_tenant_id()}:{where.key}:{day}"
    kept: dict[Selection, Figures] | None = cache.get(key)
    if kept is None:
        kept = dict(count(beginning(day, where), beginning(day + ONE_DAY, where), where))
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _stored(selection: Selection, since: date, until: date) -> dict[date, Figures]:
    rows = DayFigures.objects.filter(
        day__range=(since, until), channel=selection.channel, language=selection.language, label=selection.label
    )
    return {day: Counter(figures) for day, figures in rows.values_list("day", "figures")}


def _sum(several: Iterable[Figures]) -> Figures:
    total: Figures = Counter()
    for each in several:
        total.update(each)
    return total

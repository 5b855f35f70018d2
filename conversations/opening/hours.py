"""Reckoning with business hours. Moments are aware; days and spans are those of the company's own clocks.

When clocks go back, the hour that comes twice is open twice; when they go forward, what would open within the hour that does not
exist opens as much later (PEP 495).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Span = tuple[int, int]
MINUTES_OF_DAY = 24 * 60
# Somebody who is away for longer is not waited for.
LOOK_AHEAD = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans in minutes after midnight, by weekday from Monday on; `special` days have their own, or none."""

    zone: ZoneInfo
    week: Sequence[Sequence[Span]]
    special: Mapping[date, Sequence[Span]] = field(default_factory=dict)

    def is_open(self, at: datetime) -> bool:
        """Whether people are there."""
        first = next(self._spans(at), None)
        return first is not None and first[0] <= at

    def opens_at(self, at: datetime) -> datetime | None:
        """When people are there again, in UTC; None when they are there now, or not within LOOK_AHEAD."""
        first = next(self._spans(at), None)
        return None if first is None or first[0] <= at else first[0]

    def next_opening(self, at: datetime) -> datetime | None:
        """When people come next, in UTC, whether they are there now or not; None when not within LOOK_AHEAD."""
        return next((begin for begin, _ in self._spans(at) if begin > at), None)

    def after_open(self, at: datetime, minutes: float) -> datetime | None:
        """The moment when people have been there for so many minutes since `at`, in UTC; None when that is beyond LOOK_AHEAD."""
        left = timedelta(minutes=minutes)
        for begin, end in self._spans(at):
            counts_from = max(begin, at)
            if end - counts_from >= left:
                return counts_from + left
            left -= end - counts_from
        return None

    def _spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """What is open at that moment and after it, in order and in UTC."""
        at = at.astimezone(UTC)
        day = at.astimezone(self.zone).date()
        # Clocks that have just gone back may still be in yesterday's last span.
        for offset in range(-1, LOOK_AHEAD.days):
            today = day + timedelta(days=offset)
            for begin, end in sorted(self.special.get(today, self.week[today.weekday()])):
                opens, closes = self._moment(today, begin, fold=0), self._moment(today, end, fold=1)
                # What lies within the hour that does not exist is left out.
                if closes > at and closes > opens:
                    yield opens, closes

    def _moment(self, day: date, minutes: int, *, fold: int) -> datetime:
        days, rest = divmod(minutes, MINUTES_OF_DAY)
        local = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60, fold=fold), tzinfo=self.zone)
        return local.astimezone(UTC)

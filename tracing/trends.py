"""Answers by day for the charts above the list: one bounded query, kept for a minute. Runs inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.db.models import Aggregate, Count, F, FloatField, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from conversations.models import Outcome
from helpdesk.tenants.scope import current_tenant_id
from tracing.models import ConfidenceBand
from tracing.queries import TraceFilter, filtered_traces, midnight

PERIODS = (7, 30, 90)
KEPT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Day:
    """The answers of one day: how many of each outcome and band, and the median from question to stored answer."""

    day: date
    answered: int = 0
    refused: int = 0
    stopped: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    median_ms: float | None = None

    @property
    def total(self) -> int:
        """All answers of the day."""
        return self.answered + self.refused + self.stopped


class Median(Aggregate):
    """PostgreSQL's continuous median."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


def days_of(wanted: TraceFilter, *, period: int) -> list[Day]:
    """The last `period` days up to today, the oldest first, empty ones too. The filter's own days do not count."""
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in range(period - 1, -1, -1)]
    at_any_time = replace(wanted, since=None, until=None)
    key = _cache_key(at_any_time, days)
    found: list[Day] | None = cache.get(key)
    if found is None:
        found = _read(at_any_time, days)
        cache.set(key, found, KEPT_SECONDS)
    return found


def counted_by_day(wanted: TraceFilter, since: date) -> QuerySet[Any, Any]:
    """One row for each day from `since` on that has answers, as the fields of Day."""
    rows = filtered_traces(wanted).filter(created_at__gte=midnight(since)).order_by()
    return (
        rows.annotate(day=TruncDate("created_at"))
        .values("day")
        .annotate(
            **{name: Count("created_at", filter=Q(outcome=name)) for name in Outcome.values},
            **{name: Count("created_at", filter=Q(confidence_band=name)) for name in ConfidenceBand.values},
            median_ms=Median(F("queue_ms") + F("total_ms")),
        )
    )


def _read(wanted: TraceFilter, days: list[date]) -> list[Day]:
    by_day = {row["day"]: Day(**row) for row in counted_by_day(wanted, days[0])}
    return [by_day.get(day, Day(day)) for day in days]


def _cache_key(wanted: TraceFilter, days: list[date]) -> str:
    parts = [str(value) for value in (*asdict(wanted).values(), days[0], days[-1])]
    about = "\n".join([str(current_tenant_id()), timezone.get_current_timezone_name(), *parts])
    return f"trace-trends:{sha256(about.encode()).hexdigest()}"

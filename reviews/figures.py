"""Verdicts and agreement by week. Two bounded queries. Runs inside `tenant_atomic`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

from django.db.models import Count, F, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import TruncDate
from django.utils import timezone

from reviews.models import Review, ReviewItem, Round, Verdict
from tracing.queries import midnight

PERIODS = (12, 26, 52)
DAYS = 7

Rows = TypeVar("Rows", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureFilter:
    """Which answers count; empty values do not restrict."""

    sampled_for: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Week:
    """What was settled in a week that begins on this Monday: good answers, wrong ones by cause; and the pairs of blind reviews.

    `verdicts` has pairs of verdicts, `causes` pairs of causes where both said wrong.
    """

    first_day: date
    good: int = 0
    wrong: Mapping[str, int] = field(default_factory=dict)
    verdicts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    causes: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All that was settled."""
        return self.good + sum(self.wrong.values())


def weeks_of(wanted: FigureFilter, *, period: int) -> list[Week]:
    """The last `period` weeks up to this one, the oldest first, empty ones too."""
    this = _monday(timezone.localdate())
    mondays = [this - timedelta(days=DAYS * back) for back in range(period - 1, -1, -1)]
    good: Counter[date] = Counter()
    wrong: dict[date, Counter[str]] = {monday: Counter() for monday in mondays}
    for row in _settled(wanted, mondays[0]):
        monday = _monday(row["day"])
        if row["verdict"] == Verdict.GOOD:
            good[monday] += row["count"]
        else:
            wrong[monday][row["cause"]] += row["count"]
    verdicts: dict[date, Counter[tuple[str, str]]] = {monday: Counter() for monday in mondays}
    causes: dict[date, Counter[tuple[str, str]]] = {monday: Counter() for monday in mondays}
    for row in _pairs(wanted, mondays[0]):
        monday = _monday(row["day"])
        verdicts[monday][row["first_verdict"], row["verdict"]] += row["count"]
        if row["first_verdict"] == row["verdict"] == Verdict.WRONG:
            causes[monday][row["first_cause"], row["cause"]] += row["count"]
    return [Week(monday, good[monday], wrong[monday], verdicts[monday], causes[monday]) for monday in mondays]


def _settled(wanted: FigureFilter, since: date) -> Iterable[Mapping[str, Any]]:
    settled: QuerySet[ReviewItem] = ReviewItem.objects.filter(done_at__gte=midnight(since))
    rows = _of(settled, wanted, "")
    return (
        rows.annotate(day=TruncDate("done_at")).values("day", "verdict", "cause").annotate(count=Count("id")).order_by()
    )


def _pairs(wanted: FigureFilter, since: date) -> Iterable[Mapping[str, Any]]:
    first = Review.objects.filter(item=OuterRef("item"), round=Round.FIRST)
    second: QuerySet[Review] = Review.objects.filter(round=Round.SECOND, created_at__gte=midnight(since))
    rows = _of(second, wanted, "item__")
    return (
        rows.annotate(
            day=TruncDate("created_at"),
            first_verdict=Subquery(first.values("verdict")[:1]),
            first_cause=Subquery(first.values("cause")[:1]),
        )
        .values("day", "first_verdict", "first_cause", "verdict", "cause")
        .annotate(count=Count("id"))
        .order_by(F("day"))
    )


def _of(rows: QuerySet[Rows], wanted: FigureFilter, path: str) -> QuerySet[Rows]:
    if wanted.sampled_for:
        rows = rows.filter(**{f"{path}sampled_for": wanted.sampled_for})
    if wanted.language:
        rows = rows.filter(**{f"{path}reply__question__language": wanted.language})
    return rows


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())

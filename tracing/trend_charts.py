"""The charts above the list, ready to print: columns and lines in thousandths of the drawing, with words. No database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import ngettext

from conversations.models import Outcome
from tracing import words
from tracing.charts import FULL
from tracing.models import ConfidenceBand
from tracing.trends import Day

GAP = 0.25
HIGHEST_FIRST = (ConfidenceBand.HIGH, ConfidenceBand.MEDIUM, ConfidenceBand.LOW)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a day's column; `kind` names what it counts."""

    kind: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class DayColumn:
    """One day's column with what a pointer on it is told."""

    x: int
    width: int
    segments: list[Segment]
    title: str


@dataclass(frozen=True, slots=True)
class Dot:
    """One day's median."""

    x: int
    y: int
    title: str


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One day in the table behind the charts."""

    day: date
    counts: list[str]
    median: str


@dataclass(frozen=True, slots=True)
class TrendCharts:
    """Three drawings on the same days. `lines` are runs of neighbouring days as SVG points."""

    total: int
    answers: list[DayColumn]
    most_answers: str
    bands: list[DayColumn]
    dots: list[Dot]
    lines: list[str]
    longest: str
    first_day: str
    last_day: str
    outcome_names: list[tuple[str, str]]
    band_names: list[tuple[str, str]]
    table: list[TrendRow]


def trend_charts(days: Sequence[Day]) -> TrendCharts:
    """The drawings of these days, the oldest first."""
    most = max((day.total for day in days), default=0)
    longest = max((day.median_ms or 0.0 for day in days), default=0.0)
    dots = _dots(days, longest)
    return TrendCharts(
        total=sum(day.total for day in days),
        answers=[_column(index, len(days), day, Outcome.values, top=most) for index, day in enumerate(days)],
        most_answers=words.count(most),
        bands=[_column(index, len(days), day, HIGHEST_FIRST, top=day.total) for index, day in enumerate(days)],
        dots=[dot for dot in dots if dot],
        lines=_lines(dots),
        longest=words.milliseconds(longest),
        first_day=_day_word(days[0].day),
        last_day=_day_word(days[-1].day),
        outcome_names=[(str(value), str(label)) for value, label in Outcome.choices],
        band_names=[(str(band), str(band.label)) for band in HIGHEST_FIRST],
        table=[_table_row(day) for day in reversed(days) if day.total],
    )


def _column(index: int, count: int, day: Day, kinds: Sequence[str], *, top: int) -> DayColumn:
    """Segments stacked upwards from the base line; rounded borders, so that no gap opens between two."""
    step = FULL / count
    segments, below = [], 0
    for kind in kinds:
        above = below + getattr(day, str(kind))
        low, high = (round(part / top * FULL) if top else 0 for part in (below, above))
        if high > low:
            segments.append(Segment(str(kind), FULL - high, high - low))
        below = above
    x, end = round(index * step), round((index + 1) * step - step * GAP)
    return DayColumn(x, max(end - x, 1), segments, _title(day))


def _dots(days: Sequence[Day], longest: float) -> list[Dot | None]:
    step = FULL / len(days) if days else FULL
    return [
        None
        if day.median_ms is None
        else Dot(
            round((index + (1 - GAP) / 2) * step),
            FULL - round(day.median_ms / longest * FULL) if longest else FULL,
            f"{_day_word(day.day)}: {words.milliseconds(day.median_ms)}",
        )
        for index, day in enumerate(days)
    ]


def _lines(dots: Sequence[Dot | None]) -> list[str]:
    """Days without answers interrupt the line: nothing is drawn where nothing was measured."""
    runs: list[list[Dot]] = [[]]
    for dot in dots:
        if dot:
            runs[-1].append(dot)
        elif runs[-1]:
            runs.append([])
    return [" ".join(f"{dot.x},{dot.y}" for dot in run) for run in runs if len(run) > 1]


def _title(day: Day) -> str:
    counted = [
        *((str(outcome.label), getattr(day, outcome.value)) for outcome in Outcome),
        *((str(band.label), getattr(day, band.value)) for band in HIGHEST_FIRST),
    ]
    answers = ngettext("%(number)s answer", "%(number)s answers", day.total) % {"number": words.count(day.total)}
    return "\n".join([f"{_day_word(day.day)}: {answers}", *(f"{name}: {words.count(n)}" for name, n in counted if n)])


def _table_row(day: Day) -> TrendRow:
    counts = [getattr(day, name) for name in (*Outcome.values, *HIGHEST_FIRST)]
    median = "–" if day.median_ms is None else words.milliseconds(day.median_ms)
    return TrendRow(day.day, [words.count(count) for count in counts], median)


def _day_word(day: date) -> str:
    return date_format(day, "MONTH_DAY_FORMAT")

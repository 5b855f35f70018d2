"""What a report says: its measures beside those of the period before, and the tables behind them. No database.

docs/reports.md defines every measure; the names here are those of the CSV file and of the API.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from conversations.models import HandOffReason
from reports import names
from reports.names import Figures, group, percentile
from reports.reading import Read

Better = Literal["higher", "lower", ""]
MEDIAN, NINE_OF_TEN = 0.5, 0.9


class Unit(StrEnum):
    """What a measure is counted in."""

    NUMBER = "number"
    SHARE = "share"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of the period and of the one before; None where there was nothing to measure."""

    name: str
    unit: Unit
    value: float | None
    before: float | None
    better: Better = ""

    @property
    def change(self) -> float | None:
        """By which part of the figure before it grew or fell; of shares, the difference."""
        if self.value is None or self.before is None:
            return None
        if self.unit is Unit.SHARE:
            return self.value - self.before
        return (self.value - self.before) / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """The hand-offs of one reason, and how many of those that ended were abandoned."""

    reason: str
    count: int
    abandoned: int


@dataclass(frozen=True, slots=True)
class AgentRow:
    """What one person did."""

    user_id: int
    conversations: int
    replies: int
    taken: int
    resolved: int


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day's own figures."""

    day: date
    conversations: int
    confirmed: int
    assumed: int
    hand_offs: int
    first_reply: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. `hours` counts customers' messages by weekday (Monday first) and hour of the company's clock."""

    read: Read
    measures: tuple[Measure, ...]
    days: tuple[DayRow, ...]
    reasons: tuple[ReasonRow, ...]
    answered_by: dict[str, int]
    hours: tuple[tuple[int, ...], ...]
    agents: tuple[AgentRow, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all happened."""
        return not self.read.total


def report_of(read: Read) -> Report:
    """The report of what was read."""
    return Report(
        read=read,
        measures=measures(read.total, read.before),
        days=tuple(_day(day, figures) for day, figures in read.days.items()),
        reasons=_reasons(read.total),
        answered_by={kind: read.total[f"{names.ANSWERED_BY}:{kind}"] for kind in ("ai", "mixed", "person")},
        hours=_hours(read.days),
        agents=_agents(read.total),
    )


def measures(now: Figures, before: Figures) -> tuple[Measure, ...]:
    """The measures of the period beside those of the one before."""
    kinds: list[tuple[str, Unit, Better]] = [
        ("conversations", Unit.NUMBER, ""),
        ("first_reply_median", Unit.SECONDS, "lower"),
        ("first_reply_p90", Unit.SECONDS, "lower"),
        ("wait_median", Unit.SECONDS, "lower"),
        ("wait_p90", Unit.SECONDS, "lower"),
        ("resolved_confirmed", Unit.NUMBER, "higher"),
        ("resolved_assumed", Unit.NUMBER, ""),
        ("resolution_median", Unit.SECONDS, "lower"),
        ("ai_share", Unit.SHARE, ""),
        ("refusal_share", Unit.SHARE, "lower"),
        ("hand_offs", Unit.NUMBER, ""),
        ("abandoned", Unit.NUMBER, "lower"),
        ("abandoned_share", Unit.SHARE, "lower"),
        ("helpful_share", Unit.SHARE, "higher"),
        ("ratings", Unit.NUMBER, ""),
    ]
    values, earlier = _values(now), _values(before)
    return tuple(Measure(name, unit, values[name], earlier[name], better) for name, unit, better in kinds)


def _values(figures: Figures) -> dict[str, float | None]:
    answers, ratings = group(figures, names.ANSWERS), group(figures, names.RATINGS)
    by, ends = group(figures, names.ANSWERED_BY), group(figures, names.ENDS)
    abandoned = sum(group(figures, names.ABANDONED).values())
    return {
        "conversations": figures[names.CONVERSATIONS],
        "first_reply_median": percentile(figures, names.FIRST_REPLY, MEDIAN),
        "first_reply_p90": percentile(figures, names.FIRST_REPLY, NINE_OF_TEN),
        "wait_median": percentile(figures, names.WAIT, MEDIAN),
        "wait_p90": percentile(figures, names.WAIT, NINE_OF_TEN),
        "resolved_confirmed": figures[f"{names.RESOLVED}:confirmed"],
        "resolved_assumed": figures[f"{names.RESOLVED}:assumed"],
        "resolution_median": percentile(figures, names.RESOLUTION, MEDIAN),
        "ai_share": _part(by.get("ai", 0), sum(by.values())),
        "refusal_share": _part(answers.get("refused", 0), sum(answers.values())),
        "hand_offs": sum(group(figures, names.HAND_OFFS).values()),
        "abandoned": abandoned,
        "abandoned_share": _part(abandoned, sum(ends.values())),
        "helpful_share": _part(ratings.get("up", 0), sum(ratings.values())),
        "ratings": sum(ratings.values()),
    }


def _part(some: int, all_of_them: int) -> float | None:
    return some / all_of_them if all_of_them else None


def _day(day: date, figures: Figures) -> DayRow:
    return DayRow(
        day=day,
        conversations=figures[names.CONVERSATIONS],
        confirmed=figures[f"{names.RESOLVED}:confirmed"],
        assumed=figures[f"{names.RESOLVED}:assumed"],
        hand_offs=sum(group(figures, names.HAND_OFFS).values()),
        first_reply=percentile(figures, names.FIRST_REPLY, MEDIAN),
    )


def _reasons(figures: Figures) -> tuple[ReasonRow, ...]:
    begun, left = group(figures, names.HAND_OFFS), group(figures, names.ABANDONED)
    known = [reason for reason in HandOffReason.values if reason in begun or reason in left]
    rows = [ReasonRow(reason, begun.get(reason, 0), left.get(reason, 0)) for reason in known]
    return tuple(sorted(rows, key=lambda row: -row.count))


def _hours(days: dict[date, Figures]) -> tuple[tuple[int, ...], ...]:
    weekdays: list[Counter[str]] = [Counter() for _ in range(7)]
    for day, figures in days.items():
        weekdays[day.weekday()].update(group(figures, names.HOURS))
    return tuple(tuple(each[str(hour)] for hour in range(24)) for each in weekdays)


def _agents(figures: Figures) -> tuple[AgentRow, ...]:
    found: dict[int, Counter[str]] = {}
    for part, number in group(figures, names.AGENTS).items():
        user_id, _, what = part.partition(":")
        found.setdefault(int(user_id), Counter())[what] += number
    rows = [
        AgentRow(user_id, did["conversations"], did["replies"], did["taken"], did["resolved"])
        for user_id, did in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.replies, -row.resolved, row.user_id)))

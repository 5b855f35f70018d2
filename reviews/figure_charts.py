"""The charts of the overview, ready to print: lengths in thousandths of the drawing, with words. No database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reviews.agreement import Agreement, cohens_kappa, summed
from reviews.figures import Week
from reviews.models import Cause, Verdict
from tracing import words
from tracing.charts import FULL
from tracing.trend_charts import GAP, DayColumn, Dot, Segment

GOOD_OR_WRONG = (str(Verdict.WRONG), str(Verdict.GOOD))


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One week in the table behind the charts."""

    week: date
    counts: list[str]
    agreement: str


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """How far two reviewers agree on one question of the form."""

    question: str
    pairs: str
    observed: str
    kappa: str
    remark: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Three drawings on the same weeks. `zero` is where agreement by chance lies in the third."""

    total: int
    wrong_share: str
    verdicts: list[DayColumn]
    most: str
    causes: list[DayColumn]
    most_wrong: str
    dots: list[Dot]
    lines: list[str]
    zero: int
    first_day: str
    last_day: str
    verdict_names: list[tuple[str, str]]
    cause_names: list[tuple[str, str]]
    agreement: list[AgreementRow]
    table: list[FigureRow]


def figures(weeks: Sequence[Week]) -> Figures:
    """The drawings of these weeks, the oldest first."""
    most = max((week.total for week in weeks), default=0)
    most_wrong = max((_wrong(week) for week in weeks), default=0)
    total, wrong = sum(week.total for week in weeks), sum(_wrong(week) for week in weeks)
    kappas = [cohens_kappa(week.verdicts) for week in weeks]
    dots = [_dot(index, len(weeks), week, kappa) for index, (week, kappa) in enumerate(zip(weeks, kappas, strict=True))]
    return Figures(
        total=total,
        wrong_share=words.percent(wrong / total) if 0 < wrong < total else ("100 %" if total and wrong else "0 %"),
        verdicts=[
            _column(i, len(weeks), week, [("wrong", _wrong(week)), ("good", week.good)], most)
            for i, week in enumerate(weeks)
        ],
        most=words.count(most),
        causes=[
            _column(i, len(weeks), week, [(cause, week.wrong.get(cause, 0)) for cause in Cause.values], most_wrong)
            for i, week in enumerate(weeks)
        ],
        most_wrong=words.count(most_wrong),
        dots=[dot for dot in dots if dot],
        lines=_lines(dots),
        zero=FULL // 2,
        first_day=_day(weeks[0].first_day),
        last_day=_day(weeks[-1].first_day),
        verdict_names=[(name, str(Verdict(name).label)) for name in GOOD_OR_WRONG],
        cause_names=[(str(value), str(label)) for value, label in Cause.choices],
        agreement=[
            _agreement(_("Good or wrong"), cohens_kappa(summed(week.verdicts for week in weeks))),
            _agreement(_("Wrong because"), cohens_kappa(summed(week.causes for week in weeks))),
        ],
        table=[_row(week, kappa) for week, kappa in zip(reversed(weeks), reversed(kappas), strict=True) if week.total],
    )


def _wrong(week: Week) -> int:
    return sum(week.wrong.values())


def _column(index: int, count: int, week: Week, parts: Sequence[tuple[str, int]], top: int) -> DayColumn:
    """Segments stacked upwards from the base line; rounded borders, so that no gap opens between two."""
    step = FULL / count
    segments, below = [], 0
    for kind, number in parts:
        above = below + number
        low, high = (round(part / top * FULL) if top else 0 for part in (below, above))
        if high > low:
            segments.append(Segment(kind, FULL - high, high - low))
        below = above
    x, end = round(index * step), round((index + 1) * step - step * GAP)
    return DayColumn(x, max(end - x, 1), segments, _title(week, parts))


def _title(week: Week, parts: Sequence[tuple[str, int]]) -> str:
    names = {**dict(Verdict.choices), **dict(Cause.choices)}
    number = sum(count for _kind, count in parts)
    answers = ngettext("%(number)s answer", "%(number)s answers", number) % {"number": words.count(number)}
    return "\n".join([f"{_week(week)}: {answers}", *(f"{names[kind]}: {words.count(n)}" for kind, n in parts if n)])


def _dot(index: int, count: int, week: Week, agreement: Agreement) -> Dot | None:
    """From -1 at the bottom to 1 at the top; no dot where kappa is not defined."""
    if agreement.kappa is None:
        return None
    x = round((index + (1 - GAP) / 2) * FULL / count)
    y = FULL - round((agreement.kappa + 1) / 2 * FULL)
    return Dot(x, y, f"{_week(week)}: κ = {agreement.kappa:.2f} ({_pairs(agreement.pairs)})")


def _lines(dots: Sequence[Dot | None]) -> list[str]:
    """Weeks without a kappa interrupt the line."""
    runs: list[list[Dot]] = [[]]
    for dot in dots:
        if dot:
            runs[-1].append(dot)
        elif runs[-1]:
            runs.append([])
    return [" ".join(f"{dot.x},{dot.y}" for dot in run) for run in runs if len(run) > 1]


def _agreement(question: str, found: Agreement) -> AgreementRow:
    if found.observed is None:
        return AgreementRow(question, "0", "–", "–", _("No answer was reviewed by two people yet."))
    observed, pairs = f"{found.observed * 100:.0f} %", words.count(found.pairs)
    if found.kappa is None:
        remark = _("Not defined: both always chose the same, so chance would have agreed too.")
        return AgreementRow(question, pairs, observed, "–", remark)
    interval = _("Every pair agrees, so there is no interval")
    if found.low is not None and found.high is not None:
        interval = _("95%% interval %(low)s to %(high)s") % {"low": f"{found.low:.2f}", "high": f"{found.high:.2f}"}
    remark = f"{interval} · {_('few pairs, so uncertain')}" if found.is_uncertain else interval
    return AgreementRow(question, pairs, observed, f"{found.kappa:.2f}", remark)


def _row(week: Week, agreement: Agreement) -> FigureRow:
    counts = [week.good, *(week.wrong.get(cause, 0) for cause in Cause.values)]
    kappa = "–" if agreement.kappa is None else f"{agreement.kappa:.2f}"
    return FigureRow(week.first_day, [words.count(count) for count in counts], kappa)


def _pairs(count: int) -> str:
    return ngettext("%(number)s pair", "%(number)s pairs", count) % {"number": words.count(count)}


def _week(week: Week) -> str:
    return _("Week of %(day)s") % {"day": _day(week.first_day)}


def _day(day: date) -> str:
    return date_format(day, "MONTH_DAY_FORMAT")

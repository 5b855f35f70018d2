"""A report as its page shows it: measures and tables in words, drawings beside them. Inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import HandOffReason
from helpdesk.users.models import User
from reports import words
from reports.drawings import columns, length, shade
from reports.report import Measure, Report, Unit

MEASURES: dict[str, str | Promise] = {
    "conversations": gettext_lazy("Conversations started"),
    "first_reply_median": gettext_lazy("First reply, median"),
    "first_reply_p90": gettext_lazy("First reply, 90th percentile"),
    "wait_median": gettext_lazy("Wait for a person, median"),
    "wait_p90": gettext_lazy("Wait for a person, 90th percentile"),
    "resolved_confirmed": gettext_lazy("Resolved, confirmed"),
    "resolved_assumed": gettext_lazy("Resolved, assumed"),
    "resolution_median": gettext_lazy("Time to resolve, median"),
    "ai_share": gettext_lazy("Answered by the AI alone"),
    "refusal_share": gettext_lazy("AI answers declined"),
    "hand_offs": gettext_lazy("Hand-offs"),
    "abandoned": gettext_lazy("Hand-offs abandoned"),
    "abandoned_share": gettext_lazy("Share of hand-offs abandoned"),
    "helpful_share": gettext_lazy("Answers rated helpful"),
    "ratings": gettext_lazy("Ratings"),
}
HINTS: dict[str, str | Promise] = {
    "resolved_confirmed": gettext_lazy("A person closed it, or the customer said that it helped"),
    "resolved_assumed": gettext_lazy("Quiet for 24 hours after an AI answer"),
    "abandoned": gettext_lazy("The customer left before a person came"),
}
ANSWERED_BY: dict[str, str | Promise] = {
    "ai": gettext_lazy("The AI alone"),
    "mixed": gettext_lazy("The AI and a person"),
    "person": gettext_lazy("A person"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One measure; `trend` is good, bad or nothing of both."""

    name: str
    label: str
    hint: str
    value: str
    before: str
    change: str
    trend: str


def in_words(measure: Measure, value: float | None) -> str:
    """The figure with its unit."""
    if value is None:
        return words.NOTHING
    match measure.unit:
        case Unit.SHARE:
            return words.share(value)
        case Unit.SECONDS:
            return words.duration(value)
    return words.number(value)


def cards(report: Report) -> list[Card]:
    """The measures, in their order."""
    return [_card(measure) for measure in report.measures]


def page(report: Report, *, with_agents: bool) -> dict[str, Any]:
    """What the template prints."""
    begun, most_begun = columns(
        [[("begun", row.conversations)] for row in report.days],
        [f"{_day_word(row.day)}: {words.number(row.conversations)}" for row in report.days],
    )
    resolved, most_resolved = columns(
        [[("confirmed", row.confirmed), ("assumed", row.assumed)] for row in report.days],
        [
            _("%(day)s: %(confirmed)s confirmed, %(assumed)s assumed")
            % {
                "day": _day_word(row.day),
                "confirmed": words.number(row.confirmed),
                "assumed": words.number(row.assumed),
            }
            for row in report.days
        ],
    )
    return {
        "cards": cards(report),
        "begun": begun,
        "most_begun": words.number(most_begun),
        "resolved": resolved,
        "most_resolved": words.number(most_resolved),
        "first_day": _day_word(report.days[0].day),
        "last_day": _day_word(report.days[-1].day),
        "days": [_day_cells(row) for row in reversed(report.days)],
        "reasons": _reasons(report),
        "answered_by": _answered_by(report),
        "hours": _hours(report),
        "hour_numbers": range(24),
        "agents": agents(report) if with_agents else None,
    }


def agents(report: Report) -> list[dict[str, Any]]:
    """What each did, by name; who left the company keeps their work."""
    known = {user.id: str(user) for user in User.objects.filter(id__in=[each.user_id for each in report.agents])}
    most = max((each.replies for each in report.agents), default=0)
    return [
        {
            "name": known.get(each.user_id) or _("A person"),
            "row": each,
            "bar": length(each.replies, most),
        }
        for each in report.agents
    ]


def _card(measure: Measure) -> Card:
    change = measure.change
    trend = ""
    if change and measure.better:
        trend = "good" if (change > 0) == (measure.better == "higher") else "bad"
    return Card(
        name=measure.name,
        label=str(MEASURES[measure.name]),
        hint=str(HINTS.get(measure.name, "")),
        value=in_words(measure, measure.value),
        before=in_words(measure, measure.before),
        change=_change(measure, change),
        trend=trend,
    )


def _change(measure: Measure, change: float | None) -> str:
    if change is None:
        return ""
    points = round(change * 100)
    if not points:
        return _("no change")
    sign = "+" if points > 0 else "−"
    if measure.unit is Unit.SHARE:
        return _("%(sign)s%(number)d points") % {"sign": sign, "number": abs(points)}
    return f"{sign}{words.number(abs(points))} %"


def _reasons(report: Report) -> list[dict[str, Any]]:
    most = max((row.count for row in report.reasons), default=0)
    return [
        {"label": str(HandOffReason(row.reason).label), "row": row, "bar": length(row.count, most)}
        for row in report.reasons
    ]


def _answered_by(report: Report) -> list[dict[str, Any]]:
    total = sum(report.answered_by.values())
    shown, x = [], 0
    for kind, number in report.answered_by.items():
        width = length(number, total)
        share = words.share(number / total) if total else words.NOTHING
        shown.append(
            {"kind": kind, "label": str(ANSWERED_BY[kind]), "number": number, "share": share, "x": x, "width": width}
        )
        x += width
    return shown if total else []


def _hours(report: Report) -> list[dict[str, Any]]:
    most = max(max(row) for row in report.hours)
    if not most:
        return []
    return [
        {
            "weekday": str(WEEKDAYS[index]),
            "y": index * 10,
            "cells": [
                {
                    "x": hour * 10,
                    "number": number,
                    "shade": shade(number, most),
                    "title": f"{WEEKDAYS[index]} {hour:02}:00–{hour + 1:02}:00: {words.number(number)}",
                }
                for hour, number in enumerate(row)
            ],
        }
        for index, row in enumerate(report.hours)
    ]


def _day_cells(row: Any) -> dict[str, Any]:
    first = words.NOTHING if row.first_reply is None else words.duration(row.first_reply)
    return {"row": row, "first_reply": first}


def _day_word(day: date) -> str:
    return date_format(day, "MONTH_DAY_FORMAT")

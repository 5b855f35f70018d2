"""A report as a file for spreadsheets: one table of measures, then one of each kind, under headings of their own."""

from __future__ import annotations

from collections.abc import Iterator

from helpdesk.pages.spreadsheets import BYTE_ORDER_MARK, text_row
from reports.report import Report
from reports.showing import agents


def csv_of(report: Report, *, with_agents: bool) -> bytes:
    """The whole file. Durations are seconds, shares lie between 0 and 1, days are the company's."""
    return BYTE_ORDER_MARK + b"".join(text_row(row) for row in _rows(report, with_agents=with_agents))


def _rows(report: Report, *, with_agents: bool) -> Iterator[list[object]]:
    wanted = report.read.wanted
    yield ["period", wanted.since.isoformat(), wanted.until.isoformat(), report.read.where.key]
    yield []
    yield ["measure", "unit", "value", "period_before"]
    for each in report.measures:
        yield [each.name, each.unit.value, _rounded(each.value), _rounded(each.before)]
    yield []
    yield ["day", "conversations", "resolved_confirmed", "resolved_assumed", "hand_offs", "first_reply_median"]
    for row in report.days:
        yield [
            row.day.isoformat(), row.conversations, row.confirmed, row.assumed, row.hand_offs, _rounded(row.first_reply),
        ]  # fmt: skip
    yield []
    yield ["hand_off_reason", "hand_offs", "abandoned"]
    for reason in report.reasons:
        yield [reason.reason, reason.count, reason.abandoned]
    yield []
    yield ["answered_by", "conversations"]
    for kind, number in report.answered_by.items():
        yield [kind, number]
    yield []
    yield ["weekday", *(f"{hour:02}:00" for hour in range(24))]
    for index, hours in enumerate(report.hours, 1):
        yield [index, *hours]
    if with_agents:
        yield []
        yield ["agent", "conversations", "replies", "taken", "resolved"]
        for agent in agents(report):
            did = agent["row"]
            yield [agent["name"], did.conversations, did.replies, did.taken, did.resolved]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

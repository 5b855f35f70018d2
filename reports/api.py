"""`/api/v1/reports`: the figures of a period for API clients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field
from rest_framework.response import Response

from conversations.channels import COUNTED
from conversations.models import Label
from helpdesk.api.shapes import Shape
from helpdesk.api.views import ApiRequest, ApiView, requires
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import InvalidInput
from helpdesk.tenants.models import Language
from reports.counting import Selection
from reports.days import ONE_DAY
from reports.forms import USUAL_PERIOD
from reports.reading import LONGEST_DAYS, Wanted, read, today_of_company
from reports.report import Report, report_of

QUERY = ("since", "until", "channel", "language", "label")


class MeasureShape(Shape):
    """One figure of the period and of as many days before it; null where there was nothing to measure."""

    name: str
    unit: str = Field(description="`number`, `share` (0 to 1) or `seconds`.")
    value: float | None
    before: float | None


class ReportDayShape(Shape):
    """One day of the company."""

    day: date
    conversations: int
    resolved_confirmed: int
    resolved_assumed: int
    hand_offs: int
    first_reply_median: float | None


class HandOffReasonShape(Shape):
    """The hand-offs of one reason."""

    reason: str
    count: int
    abandoned: int


class AgentLoadShape(Shape):
    """What one person did."""

    user: int
    conversations: int
    replies: int
    taken: int
    resolved: int


class ReportShape(Shape):
    """The figures of a period."""

    since: date
    until: date
    time_zone: str
    pending_days: int = Field(description="Days of the period that are still to be added up.")
    measures: list[MeasureShape]
    days: list[ReportDayShape]
    hand_offs: list[HandOffReasonShape]
    answered_by: dict[str, int] = Field(description="Conversations by who answered: `ai`, `mixed`, `person`.")
    hours: list[list[int]] = Field(description="Customers' messages: seven rows of 24 hours, Monday first.")
    agents: list[AgentLoadShape]


class ReportView(ApiView):
    """`/api/v1/reports`."""

    @extend_schema(
        operation_id="report",
        summary="Volume, replies, resolutions, hand-offs and load over some days",
        parameters=[
            OpenApiParameter("since", {"type": "string", "format": "date"}),
            OpenApiParameter("until", {"type": "string", "format": "date"}),
            OpenApiParameter("channel", {"type": "string", "enum": list(COUNTED)}),
            OpenApiParameter("language", {"type": "string", "enum": Language.values}),
            OpenApiParameter("label", {"type": "string"}, description="A label's name."),
        ],
        responses=ReportShape,
    )
    @requires(Scope.STATS_READ, query=QUERY)
    def get(self, request: ApiRequest) -> Response:
        """The last 30 days unless days are given; at most 366."""
        given = {name: request.query_params.get(name, "") for name in QUERY}
        return Response(shape_of(report_of(read(wanted_of(given)))).as_json())


def wanted_of(given: dict[str, str]) -> Wanted:
    """The period and selection. Raises InvalidInput for what cannot be."""
    today = today_of_company()
    until = min(_day("until", given["until"]) or today, today)
    since = _day("since", given["since"]) or until - ONE_DAY * (USUAL_PERIOD - 1)
    if since > until or (until - since).days >= LONGEST_DAYS:
        message = _("“since” must be at most %(most)d days before “until”.") % {"most": LONGEST_DAYS - 1}
        raise InvalidInput(message, parameter="since")
    channel = _one_of("channel", given["channel"], COUNTED)
    language = _one_of("language", given["language"], Language.values)
    return Wanted(since, until, Selection(channel, language, _label(given["label"])))


def shape_of(report: Report) -> ReportShape:
    """The report as it is served."""
    wanted = report.read.wanted
    return ReportShape(
        since=wanted.since,
        until=wanted.until,
        time_zone=report.read.where.key,
        pending_days=report.read.pending,
        measures=[
            MeasureShape(name=each.name, unit=each.unit.value, value=_rounded(each.value), before=_rounded(each.before))
            for each in report.measures
        ],
        days=[
            ReportDayShape(
                day=row.day, conversations=row.conversations, resolved_confirmed=row.confirmed,
                resolved_assumed=row.assumed, hand_offs=row.hand_offs, first_reply_median=_rounded(row.first_reply),
            )
            for row in report.days
        ],
        hand_offs=[
            HandOffReasonShape(reason=row.reason, count=row.count, abandoned=row.abandoned) for row in report.reasons
        ],
        answered_by=report.answered_by,
        hours=[list(row) for row in report.hours],
        agents=[
            AgentLoadShape(
                user=row.user_id, conversations=row.conversations, replies=row.replies, taken=row.taken,
                resolved=row.resolved,
            )
            for row in report.agents
        ],
    )  # fmt: skip


def _day(name: str, raw: str) -> date | None:
    if not raw:
        return None
    try:
        day = parse_date(raw)
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 9000:
        raise InvalidInput(_("“%(name)s” must be a day such as 2026-11-30.") % {"name": name}, parameter=name)
    return day


def _one_of(name: str, raw: str, allowed: Sequence[str]) -> str:
    if raw and raw not in allowed:
        message = _("“%(name)s” is one of: %(values)s.") % {"name": name, "values": ", ".join(allowed)}
        raise InvalidInput(message, parameter=name)
    return raw


def _label(raw: str) -> UUID | None:
    if not raw:
        return None
    found: UUID | None = None
    if "\x00" not in raw:
        found = Label.objects.filter(name__iexact=raw).values_list("id", flat=True).first()
    if found is None:
        raise InvalidInput(_("There is no label “%(name)s”.") % {"name": raw}, parameter="label")
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

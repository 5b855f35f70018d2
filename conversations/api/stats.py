"""How the desk did over some days, for API clients. Runs inside `tenant_atomic`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Aggregate, Count, FloatField, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field
from rest_framework.response import Response

from conversations.models import Author, Conversation, Message, Outcome, Reply, ReplyPurpose, ReplyStatus
from helpdesk.api.shapes import Moment, Shape
from helpdesk.api.views import ApiRequest, ApiView, requires
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import InvalidInput

DEFAULT_DAYS = 7
MAX_DAYS = 90


class Percentile(Aggregate):
    """PostgreSQL's continuous percentile."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression: str, *, fraction: float) -> None:
        super().__init__(expression, fraction=fraction, output_field=FloatField())


class SecondsShape(Shape):
    """From the question's claim to the answer's end."""

    p50: float | None
    p95: float | None


class RepliesShape(Shape):
    """Answers that ended, by outcome, those without an answer by code, and those still open."""

    by_outcome: dict[str, int]
    failed: dict[str, int]
    in_flight: int
    seconds: SecondsShape


class StatsShape(Shape):
    """Figures of a window that ends now."""

    since: Moment
    until: Moment
    conversations: dict[str, int] = Field(description="Begun in the window, by status.")
    replies: RepliesShape
    refusals: int
    refusal_rate: float | None


class StatsView(ApiView):
    """`/api/v1/stats`."""

    @extend_schema(
        operation_id="stats",
        summary="Conversations, outcomes and seconds over some days",
        parameters=[
            OpenApiParameter("days", {"type": "integer", "minimum": 1, "maximum": MAX_DAYS, "default": DEFAULT_DAYS})
        ],
        responses=StatsShape,
    )
    @requires(Scope.STATS_READ, query=("days",))
    def get(self, request: ApiRequest) -> Response:
        """Numbers only; nothing that anybody wrote."""
        raw = request.query_params.get("days", str(DEFAULT_DAYS))
        if not (raw.isascii() and raw.isdigit() and len(raw) < 4 and 1 <= int(raw) <= MAX_DAYS):
            message = _("“days” must be a number from 1 to %(most)d.") % {"most": MAX_DAYS}
            raise InvalidInput(message, parameter="days")
        until = timezone.now()
        return Response(figures(until - timedelta(days=int(raw)), until).as_json())


def figures(since: datetime, until: datetime) -> StatsShape:
    """The figures of the tenant in scope, in four queries."""
    conversations = Conversation.objects.filter(created_at__range=(since, until), deleted_at__isnull=True)
    answers = Message.objects.filter(author=Author.AI, created_at__range=(since, until))
    replies = Reply.objects.filter(purpose=ReplyPurpose.ANSWER)
    failed = replies.filter(status=ReplyStatus.FAILED, finished_at__range=(since, until))
    totals = answers.aggregate(
        p50=Percentile("seconds", fraction=0.5),
        p95=Percentile("seconds", fraction=0.95),
        **{name: Count("id", filter=Q(outcome=name)) for name in Outcome.values},
    )
    outcomes = {name: totals[name] for name in Outcome.values}
    ended = sum(outcomes.values())
    in_flight = replies.filter(status__in=[ReplyStatus.QUEUED, ReplyStatus.RUNNING]).count()
    return StatsShape(
        since=since,
        until=until,
        conversations=dict(conversations.values_list("status").annotate(Count("id")).order_by()),
        replies=RepliesShape(
            by_outcome=outcomes,
            failed=dict(failed.values_list("error_code").annotate(Count("id")).order_by()),
            in_flight=in_flight,
            seconds=SecondsShape(p50=_rounded(totals["p50"]), p95=_rounded(totals["p95"])),
        ),
        refusals=outcomes[Outcome.REFUSED],
        refusal_rate=_rounded(outcomes[Outcome.REFUSED] / ended) if ended else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

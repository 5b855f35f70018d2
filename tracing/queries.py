"""Lists of traces. Runs inside `tenant_atomic`; never reads a payload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from conversations.models import Feedback, ReplyPurpose
from tracing.models import Trace

ROWS_PER_PAGE = 50
SEQUENCE_SLACK = 1000
LAST = 2**62
NO_FEEDBACK = "none"
ANY_PURPOSE = "all"


@dataclass(frozen=True, slots=True)
class TracePage:
    """One page, the newest first; `next_before` continues behind its last row, None at the end."""

    rows: list[Trace]
    next_before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFilter:
    """What a list or an export holds; empty values do not restrict. `since` and `until` are days, both included.

    `purpose` is the customers' answers unless another one is wanted, or ANY_PURPOSE: tests and drafts do not fill their list.
    `feedback` is a rating that somebody gave, or NO_FEEDBACK.
    """

    purpose: str = ReplyPurpose.ANSWER
    outcome: str = ""
    band: str = ""
    kind: str = ""
    language: str = ""
    model: str = ""
    cache: str = ""
    feedback: str = ""
    since: date | None = None
    until: date | None = None


def filtered_traces(wanted: TraceFilter) -> QuerySet[Trace]:
    """The traces that pass, without their payloads."""
    columns = {
        "purpose": "" if wanted.purpose == ANY_PURPOSE else wanted.purpose,
        "outcome": wanted.outcome,
        "confidence_band": wanted.band,
        "kind": wanted.kind,
        "language": wanted.language,
        "model": wanted.model,
        "cache": wanted.cache,
    }
    rows = Trace.objects.filter(**{name: value for name, value in columns.items() if value})
    if wanted.feedback:
        given = Feedback.objects.filter(reply_id=OuterRef("reply_id"))
        is_wanted = ~Exists(given) if wanted.feedback == NO_FEEDBACK else Exists(given.filter(rating=wanted.feedback))
        rows = rows.filter(is_wanted)
    if wanted.since:
        begin = midnight(wanted.since)
        rows = rows.filter(created_at__gte=begin, sequence__gte=_sequence_about(begin, else_=0) - SEQUENCE_SLACK)
    if wanted.until:
        end = midnight(min(wanted.until, date.max - timedelta(days=3)) + timedelta(days=1))
        rows = rows.filter(created_at__lt=end, sequence__lte=_sequence_about(end, else_=LAST) + SEQUENCE_SLACK)
    return rows.defer("sealed", "sealed_prompt")


def _sequence_about(moment: datetime, *, else_: int) -> int:
    """Where in the chain the first trace since then stands: a page then reads only its days' part of any index.

    Times are taken shortly before places, so neighbours may be in the other order: hence SEQUENCE_SLACK.
    """
    since = Trace.objects.filter(created_at__gte=moment).order_by("created_at")
    sequence: int | None = since.values_list("sequence", flat=True).first()
    return else_ if sequence is None else sequence


def midnight(day: date) -> datetime:
    """Its beginning; a day at the calendar's very end, which no time zone can hold, is moved to where one can."""
    day = min(max(day, date.min + timedelta(days=2)), date.max - timedelta(days=2))
    return timezone.make_aware(datetime.combine(day, time.min))


def models_seen() -> list[str]:
    """The models that answered, by name: one index probe each, however many traces there are."""
    names: list[str] = []
    while (
        name := Trace.objects.filter(model__gt=names[-1] if names else "")
        .order_by("model")
        .values_list("model", flat=True)
        .first()
    ):
        names.append(name)
    return names


def feedback_of(traces: Sequence[Trace]) -> dict[UUID, list[Feedback]]:
    """What was thought of these answers, by reply."""
    found: dict[UUID, list[Feedback]] = {}
    for given in Feedback.objects.filter(reply_id__in=[trace.reply_id for trace in traces]):
        found.setdefault(given.reply_id, []).append(given)
    return found


def trace_page(wanted: TraceFilter, *, before: int | None = None, limit: int = ROWS_PER_PAGE) -> TracePage:
    """Traces older than sequence `before`."""
    rows = filtered_traces(wanted)
    if before is not None:
        rows = rows.filter(sequence__lt=before)
    found = list(rows.order_by("-sequence")[: limit + 1])
    more = len(found) > limit
    return TracePage(found[:limit], found[limit - 1].sequence if more else None)


@dataclass(frozen=True, slots=True)
class AnswerPlace:
    """Where an answer stands among those of its conversation: 1 is the first; neighbours by reply, None at the ends."""

    number: int
    total: int
    previous: UUID | None
    following: UUID | None


def original_reply_of(trace: Trace) -> UUID | None:
    """The reply whose cached answer was used here; None when it is none, or its trace is gone."""
    if trace.cached_from is None:
        return None
    reply_id: UUID | None = Trace.objects.filter(id=trace.cached_from).values_list("reply_id", flat=True).first()
    return reply_id


def turn_of(trace: Trace) -> AnswerPlace:
    """The answer's place in its conversation, a draft's among its drafts."""
    replies = list(
        Trace.objects.filter(conversation_id=trace.conversation_id, purpose=trace.purpose)
        .order_by("sequence")
        .values_list("reply_id", flat=True)
    )
    at = replies.index(trace.reply_id)
    return AnswerPlace(
        number=at + 1,
        total=len(replies),
        previous=replies[at - 1] if at else None,
        following=replies[at + 1] if at + 1 < len(replies) else None,
    )

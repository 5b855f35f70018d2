"""Traces, analyses and findings as the API gives them: plain facts, never content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from conversations.models import AnswerKind, Feedback, FeedbackReason, Giver, Outcome, Rating, ReplyPurpose
from helpdesk.api.shapes import Moment, OneOf, Shape
from helpdesk.tenants.models import Language
from tracing.export.jsonl import integrity, plain_columns
from tracing.findings import Finding, Verification
from tracing.models import AnalysisJob, AnalysisKind, ConfidenceBand, JobState, Trace
from tracing.opening import deleted_sections
from tracing.queries import feedback_of, turn_of

MAX_FINDINGS = 1000


class GivenShape(Shape):
    """What somebody thought of an answer, without the words."""

    given_by: Annotated[str, OneOf(Giver)]
    rating: Annotated[str, OneOf(Rating)]
    reason: Annotated[str, OneOf(FeedbackReason, or_empty=True)]

    @classmethod
    def of(cls, given: Feedback) -> Self:
        return cls(given_by=given.given_by, rating=given.rating, reason=given.reason)


class TraceShape(Shape):
    """A trace's plain facts: no word of question, answer or prompt. Times are milliseconds."""

    # Beside `sequence` and `feedback` they are the columns of `tracing.export.jsonl.plain_columns`, by name.

    id: UUID
    sequence: int
    reply_id: UUID
    conversation_id: UUID
    created_at: Moment
    channel: str
    purpose: Annotated[str, OneOf(ReplyPurpose)]
    assistant_id: UUID | None
    assistant_version: int | None
    variant: str
    outcome: Annotated[str, OneOf(Outcome)]
    kind: Annotated[str, OneOf(AnswerKind, or_empty=True)]
    style: str
    language: Annotated[str, OneOf(Language)]
    model: str
    quantization: str
    confidence_band: Annotated[str, OneOf(ConfidenceBand, or_empty=True)]
    finish_reason: str
    attempt: int
    cache: str
    cached_from: UUID | None
    saved_tokens: int
    prompt_tokens: int
    cached_prompt_tokens: int
    answer_tokens: int
    candidate_count: int
    source_count: int
    queue_ms: float
    retrieve_ms: float
    first_token_ms: float | None
    total_ms: float
    steps: list[dict[str, Any]]
    content_bytes: int
    sealed_bytes: int
    feedback: list[GivenShape]

    @classmethod
    def of(cls, trace: Trace, given: Sequence[Feedback], **more: Any) -> Self:
        return cls(
            **plain_columns(trace), sequence=trace.sequence, feedback=[GivenShape.of(each) for each in given], **more
        )


class TurnShape(Shape):
    """Where the answer stands among those of its conversation."""

    number: int
    total: int


class DeletedShape(Shape):
    """A section that the retention policy has emptied."""

    kind: str
    at: Moment


class IntegrityShape(Shape):
    """The trace's place in the tenant's chain."""

    sequence: int
    format: int
    chain: str
    sealed_digest: str
    sealed_prompt_digest: str
    key: UUID
    erased_at: Moment | None


class TraceDetailShape(TraceShape):
    """A trace's plain facts with its place in conversation and chain."""

    turn: TurnShape
    times_opened: int
    deleted: list[DeletedShape]
    integrity: IntegrityShape

    @classmethod
    def whole(cls, trace: Trace) -> Self:
        """Reads what stands in other rows."""
        turn = turn_of(trace)
        return cls.of(
            trace,
            feedback_of([trace]).get(trace.reply_id, []),
            turn=TurnShape(number=turn.number, total=turn.total),
            times_opened=trace.accesses.count(),
            deleted=[DeletedShape(kind=gone.kind, at=gone.at) for gone in deleted_sections(trace)],
            integrity=IntegrityShape(**integrity(trace)),
        )


class ExportedShape(Shape):
    """One `glassdesk.trace/1` object: docs/traces.md describes every member."""

    # `schema` by itself is a name of pydantic's.
    schema_: str = Field(alias="schema")
    tenant: str
    trace: dict[str, Any]
    integrity: IntegrityShape
    content: dict[str, Any] | None
    deleted: list[DeletedShape]
    feedback: list[dict[str, Any]]
    analyses: list[dict[str, Any]]
    error: dict[str, Any] | None


class GoneShape(Shape):
    """The content was erased, and nobody can open it any more."""

    error: dict[str, Any]


class AnalysisShape(Shape):
    """A requested analysis: state and figures. Its words are sealed: the trace's content holds them."""

    id: UUID
    kind: Annotated[str, OneOf(AnalysisKind)]
    state: Annotated[str, OneOf(JobState)]
    parameters: dict[str, Any]
    queued_at: Moment
    finished_at: Moment | None
    duration_ms: float | None
    figures: dict[str, Any] | None
    error: str | None

    @classmethod
    def of(cls, job: AnalysisJob) -> Self:
        analysis = job.analysis
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            parameters=job.parameters,
            queued_at=job.queued_at,
            finished_at=job.finished_at,
            duration_ms=analysis.duration_ms if analysis else None,
            figures=analysis.figures if analysis else None,
            error=job.error_code or None,
        )


class FindingShape(Shape):
    """One thing that is wrong in the chain."""

    kind: str
    sequence: int
    table: str
    row_id: UUID | None
    reply_id: UUID | None
    moved_from: int | None
    last: int | None
    detail: str

    @classmethod
    def of(cls, finding: Finding) -> Self:
        return cls(**asdict(finding))


class AnchorShape(Shape):
    """How far the chain had come when that was last noted outside the database."""

    sequence: int
    at: Moment


class VerificationShape(Shape):
    """What a walk along the chain found, with at most 1,000 findings."""

    is_sound: bool
    rows: int
    traces: int
    deleted: int
    unchained: int
    anchor: AnchorShape | None
    notes: list[str]
    findings: list[FindingShape]

    @classmethod
    def of(cls, found: Verification) -> Self:
        return cls(
            is_sound=found.is_sound,
            rows=found.rows,
            traces=found.traces,
            deleted=found.deleted,
            unchained=found.unchained,
            anchor=AnchorShape(sequence=found.anchor.sequence, at=found.anchor.at) if found.anchor else None,
            notes=found.notes,
            findings=[FindingShape.of(each) for each in found.findings[:MAX_FINDINGS]],
        )


def trace_shapes(traces: Sequence[Trace]) -> list[TraceShape]:
    """The traces of a page, with what was thought of them."""
    given = feedback_of(traces)
    return [TraceShape.of(trace, given.get(trace.reply_id, [])) for trace in traces]

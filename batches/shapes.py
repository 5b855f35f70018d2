"""Batches and their results as the API gives them and as files hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Self
from uuid import UUID

from batches.models import Batch, BatchItem, BatchState, ItemState
from batches.queries import Progress, traces_of
from conversations.api.shapes import ReplyErrorShape
from conversations.failures import FailureCode, sentence_for_api_client
from conversations.language_notes import language_note
from conversations.shapes import SourceShape, public_sources
from helpdesk.api.shapes import Moment, OneOf, Shape
from helpdesk.tenants.models import Language
from tracing.models import Trace


class ProgressShape(Shape):
    """How many items are in each state."""

    waiting: int
    running: int
    done: int
    failed: int
    cancelled: int
    total: int


class BatchShape(Shape):
    """One batch with its progress."""

    id: UUID
    name: str
    state: Annotated[str, OneOf(BatchState)]
    items: ProgressShape
    created_at: Moment
    finished_at: Moment | None

    @classmethod
    def of(cls, batch: Batch, progress: Progress) -> Self:
        return cls(
            id=batch.id,
            name=batch.name,
            state=batch.state,
            items=ProgressShape(**asdict(progress), total=progress.total),
            created_at=batch.created_at,
            finished_at=batch.finished_at,
        )


class UsageShape(Shape):
    """Tokens of one answer."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_prompt_tokens: int

    @classmethod
    def of(cls, trace: Trace) -> Self:
        return cls(
            prompt_tokens=trace.prompt_tokens,
            completion_tokens=trace.answer_tokens,
            total_tokens=trace.prompt_tokens + trace.answer_tokens,
            cached_prompt_tokens=trace.cached_prompt_tokens,
        )


class ResultShape(Shape):
    """What became of one item. `number` counts the items in the order of their ends, with gaps."""

    custom_id: str
    position: int
    number: int
    state: Annotated[str, OneOf(ItemState)]
    answer: str | None
    outcome: str | None
    language: Annotated[str, OneOf(Language)]
    note: str | None
    sources: list[SourceShape]
    confidence_band: str | None
    reply_id: UUID | None
    trace_id: UUID | None
    usage: UsageShape | None
    finished_at: Moment | None
    error: ReplyErrorShape | None

    @classmethod
    def of(cls, item: BatchItem, trace: Trace | None) -> Self:
        """Needs `reply__answer`."""
        answer = item.reply.answer if item.reply else None
        code = item.error_code
        if answer is not None and not answer.body:
            # Its words were deleted since.
            answer, code = None, FailureCode.DELETED
        return cls(
            custom_id=item.custom_id,
            position=item.position,
            number=item.finish_number or 0,
            state=item.state,
            answer=answer.body if answer else None,
            outcome=answer.outcome if answer else None,
            language=answer.language if answer else item.language,
            note=language_note(answer) if answer else None,
            sources=public_sources(answer.sources) if answer else [],
            confidence_band=answer.confidence_band if answer else None,
            reply_id=item.reply_id,
            trace_id=trace.id if trace else None,
            usage=UsageShape.of(trace) if trace else None,
            finished_at=item.finished_at,
            error=ReplyErrorShape(code=code, message=sentence_for_api_client(code)) if code else None,
        )


class BatchResultsShape(Shape):
    """One page of results. `after` is where the next page begins, also when nothing more has ended so far."""

    data: list[ResultShape]
    next: str | None
    after: int
    complete: bool


def result_shapes(items: Sequence[BatchItem]) -> list[ResultShape]:
    """The lines of a batch's results, in the order given. Runs inside `tenant_atomic`."""
    traces = traces_of(items)
    return [ResultShape.of(item, traces.get(item.reply_id) if item.reply_id else None) for item in items]

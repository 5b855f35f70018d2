"""Reads of batches. Every function expects to run inside `tenant_atomic`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count

from batches.models import OPEN_STATES, Batch, BatchItem, ItemState
from conversations.failures import FailureCode, sentence_for_api_client
from conversations.passages import public_sources
from helpdesk.errors import NotFound
from tracing.models import Trace

ENDED_STATES = (ItemState.DONE, ItemState.FAILED, ItemState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many items of a batch are in each state."""

    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.running + self.ended

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.cancelled


def batch_by_id(batch_id: UUID, *, lock: bool = False) -> Batch:
    """One batch of the tenant; raises NotFound."""
    rows = Batch.objects.select_for_update(no_key=True) if lock else Batch.objects.all()
    batch: Batch | None = rows.filter(id=batch_id).first()
    if batch is None:
        raise NotFound
    return batch


def has_open_batches() -> bool:
    """Whether the tenant has a batch that has not ended."""
    return bool(Batch.objects.filter(state__in=OPEN_STATES).exists())


def progress_of(batches: Iterable[Batch]) -> dict[UUID, Progress]:
    """The progress of each batch, in one query."""
    wanted = list(batches)
    counts: dict[UUID, dict[str, int]] = defaultdict(dict)
    rows = BatchItem.objects.filter(batch__in=wanted).order_by().values_list("batch_id", "state")
    for batch_id, state, count in rows.annotate(Count("id")):
        counts[batch_id][state] = count
    return {batch.id: Progress(**counts[batch.id]) for batch in wanted}


def ended_items(batch: Batch, *, after: int = 0, limit: int) -> list[BatchItem]:
    """Items that have ended, in the order of their ends, behind a finish number."""
    rows = batch.items.filter(finish_number__gt=after).select_related("reply__answer")
    return list(rows.order_by("finish_number")[:limit])


def items_by_position(batch: Batch, *, after: int = 0, limit: int) -> list[BatchItem]:
    """Items that have ended, as they were submitted, behind a position."""
    rows = batch.items.filter(position__gt=after, state__in=ENDED_STATES).select_related("reply__answer")
    return list(rows.order_by("position")[:limit])


def describe_results(items: Sequence[BatchItem]) -> list[dict[str, Any]]:
    """The lines of a batch's results, in the order given."""
    replies = [item.reply_id for item in items if item.reply_id]
    traces = {
        trace.reply_id: trace for trace in Trace.objects.filter(reply__in=replies).defer("sealed", "sealed_prompt")
    }
    return [_result(item, traces.get(item.reply_id)) for item in items]


def _result(item: BatchItem, trace: Trace | None) -> dict[str, Any]:
    answer = item.reply.answer if item.reply else None
    code = item.error_code
    if answer is not None and not answer.body:
        # Its words were deleted since.
        answer, code = None, FailureCode.DELETED
    return {
        "custom_id": item.custom_id,
        "position": item.position,
        "number": item.finish_number,
        "state": item.state,
        "answer": answer.body if answer else None,
        "outcome": answer.outcome if answer else None,
        "language": answer.language if answer else item.language,
        "sources": public_sources(answer.sources) if answer else [],
        "confidence_band": answer.confidence_band if answer else None,
        "reply_id": str(item.reply_id) if item.reply_id else None,
        "trace_id": str(trace.id) if trace else None,
        "usage": _usage(trace) if trace else None,
        "finished_at": _iso(item.finished_at),
        "error": {"code": code, "message": sentence_for_api_client(code)} if code else None,
    }


def _usage(trace: Trace) -> dict[str, int]:
    return {
        "prompt_tokens": trace.prompt_tokens,
        "completion_tokens": trace.answer_tokens,
        "total_tokens": trace.prompt_tokens + trace.answer_tokens,
        "cached_prompt_tokens": trace.cached_prompt_tokens,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None

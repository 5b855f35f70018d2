"""Reads of batches. Every function expects to run inside `tenant_atomic`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from batches.models import OPEN_STATES, Batch, BatchItem, ItemState
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


def traces_of(items: Sequence[BatchItem]) -> dict[UUID, Trace]:
    """The trace of each item's answer by the reply, without what is sealed."""
    replies = [item.reply_id for item in items if item.reply_id]
    return {trace.reply_id: trace for trace in Trace.objects.filter(reply__in=replies).defer("sealed", "sealed_prompt")}

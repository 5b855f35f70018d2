"""Noting what became of items in work, and ending batches whose last item has ended. Runs inside `tenant_atomic`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Max, Q
from django.utils import timezone

from batches.models import OPEN_STATES, Batch, BatchItem, BatchState, ItemState
from conversations.failures import FailureCode
from conversations.models import Outcome, Reply, ReplyStatus
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.recording import record

_HAS_ENDED = Q(reply__status__in=[ReplyStatus.DONE, ReplyStatus.FAILED]) | Q(reply=None)


def settle_items() -> None:
    """Settle every item in work whose reply has ended, in the order of the ends."""
    ended = BatchItem.objects.filter(_HAS_ENDED, state=ItemState.RUNNING)
    for batch_id in set(ended.values_list("batch_id", flat=True)):
        _settle(batch_id)


def end_if_complete(batch: Batch) -> None:
    """End the batch when none of its items is open any more; the caller holds the batch's lock."""
    if batch.items.filter(state__in=[ItemState.WAITING, ItemState.RUNNING]).exists():
        return
    end = BatchState.CANCELLED if batch.state == BatchState.CANCELLING else BatchState.DONE
    open_row = Batch.objects.filter(id=batch.id, state__in=OPEN_STATES)
    if open_row.update(state=end, finished_at=timezone.now(), defaults={}):
        record(FactKind.BATCH_ENDED, subject_id=batch.id, state=str(end), items=batch.item_count)


def last_finish_number(batch: Batch) -> int:
    """The highest number given so far, 0 at first; the caller holds the batch's lock."""
    return int(batch.items.aggregate(last=Max("finish_number"))["last"] or 0)


def _settle(batch_id: UUID) -> None:
    # Under the lock numbers become visible in their order, so that whoever reads behind a number misses none.
    batch: Batch = Batch.objects.select_for_update(no_key=True).get(id=batch_id)
    rows = batch.items.filter(_HAS_ENDED, state=ItemState.RUNNING).select_related("reply__answer")
    number = last_finish_number(batch)
    for item in sorted(rows, key=_ended_at):
        number += 1
        item.finish_number, item.finished_at = number, _ended_at(item)
        item.state, item.error_code = _end_of(item.reply, is_cancelling=batch.state == BatchState.CANCELLING)
        item.save(update_fields=["finish_number", "finished_at", "state", "error_code"])
    end_if_complete(batch)


def _end_of(reply: Reply | None, *, is_cancelling: bool) -> tuple[ItemState, str]:
    if reply is None:
        return ItemState.FAILED, FailureCode.DELETED
    was_stopped = reply.error_code == FailureCode.STOPPED or (reply.answer and reply.answer.outcome == Outcome.STOPPED)
    if was_stopped and is_cancelling:
        return ItemState.CANCELLED, ""
    return (ItemState.FAILED, reply.error_code) if reply.status == ReplyStatus.FAILED else (ItemState.DONE, "")


def _ended_at(item: BatchItem) -> datetime:
    return (item.reply.finished_at if item.reply else None) or timezone.now()

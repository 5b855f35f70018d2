"""Traces for an export, read in portions, each in a short transaction of its own, so that any number fits into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from helpdesk.tenants.scope import tenant_atomic
from tracing.export.readers import Reader
from tracing.models import Trace
from tracing.queries import ANY_PURPOSE, TraceFilter, filtered_traces
from tracing.read import OpenedTrace, TraceShape, TraceUnreadable, trace_shape

ROWS_AT_ONCE = 500
# A read is a link of the chain, and whoever appends holds the chain until the end of the transaction: answers wait for it.
OPENED_AT_ONCE = 5
MAX_SEQUENCE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ExportedTrace:
    """A trace with its content when that was asked for; `trouble` says why it could not be opened."""

    trace: Trace
    shape: TraceShape | None = None
    opened: OpenedTrace | None = None
    trouble: TraceUnreadable | None = None


def count_traces(tenant_id: UUID, wanted: TraceFilter, *, reply_id: UUID | None = None) -> int:
    """How many traces are wanted at this moment."""
    with tenant_atomic(tenant_id):
        return _rows(wanted, reply_id).count()


def exported_traces(
    tenant_id: UUID, wanted: TraceFilter, *, reader: Reader, reply_id: UUID | None = None, limit: int | None = None
) -> Iterator[ExportedTrace]:
    """The wanted traces, the newest first; those recorded meanwhile are left out. Days are those of the time zone now.

    Nothing is held open between two portions: a slow receiver blocks no one. What was opened is logged before it is
    handed on. Raises Forbidden when the reader has lost the right meanwhile.
    """
    zone = timezone.get_current_timezone()

    def portion(before: int, size: int) -> list[ExportedTrace]:
        with timezone.override(zone), tenant_atomic(tenant_id):
            reader.admit()
            rows = _rows(wanted, reply_id).filter(sequence__lt=before).select_related("key", "reply", "assistant")
            rows = rows.prefetch_related("reply__feedback")
            return [read_one(trace, reader) for trace in rows.order_by("-sequence")[:size]]

    return _in_portions(portion, OPENED_AT_ONCE if reader.reads_content else ROWS_AT_ONCE, limit or MAX_SEQUENCE)


def _in_portions(
    portion: Callable[[int, int], list[ExportedTrace]], at_once: int, limit: int
) -> Iterator[ExportedTrace]:
    left, before = limit, MAX_SEQUENCE
    while left > 0:
        size = min(left, at_once)
        found = portion(before, size)
        yield from found
        if len(found) < size:
            return
        left, before = left - size, found[-1].trace.sequence


def read_one(trace: Trace, reader: Reader) -> ExportedTrace:
    """One trace through its reader, in the caller's tenant scope; the caller has to let the transaction commit."""
    if not reader.reads_content:
        return ExportedTrace(trace)
    try:
        opened, trouble = reader.open(trace), None
    except TraceUnreadable as error:
        opened, trouble = None, error
    return ExportedTrace(trace, trace_shape(trace), opened, trouble)


def _rows(wanted: TraceFilter, reply_id: UUID | None) -> QuerySet[Trace]:
    if reply_id is None:
        return filtered_traces(wanted)
    return filtered_traces(replace(wanted, purpose=ANY_PURPOSE)).filter(reply_id=reply_id)

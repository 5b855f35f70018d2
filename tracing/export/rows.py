"""Traces for an export, read in portions, each in a short transaction of its own, so that any number fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from helpdesk.tenants.scope import tenant_atomic
from tracing.export.readers import Reader
from tracing.models import Trace
from tracing.read import OpenedTrace, TraceShape, TraceUnreadable, trace_shape

ROWS_AT_ONCE = 500
# A read is a link of the chain, and whoever appends holds the chain until the end of the transaction: answers wait for it.
OPENED_AT_ONCE = 20
MAX_SEQUENCE = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which traces leave; what is empty does not restrict. `since` is included, `until` is not."""

    outcome: str = ""
    band: str = ""
    language: str = ""
    since: datetime | None = None
    until: datetime | None = None
    reply_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ExportedTrace:
    """A trace with its content when that was asked for; `trouble` says why it could not be opened."""

    trace: Trace
    shape: TraceShape | None = None
    opened: OpenedTrace | None = None
    trouble: TraceUnreadable | None = None


def count_traces(tenant_id: UUID, wanted: Wanted) -> int:
    """How many traces are wanted at this moment."""
    with tenant_atomic(tenant_id):
        return _rows(wanted).count()


def exported_traces(
    tenant_id: UUID, wanted: Wanted, *, reader: Reader, limit: int | None = None
) -> Iterator[ExportedTrace]:
    """The wanted traces, the newest first; those recorded meanwhile are left out.

    Nothing is held open between two portions: a slow receiver blocks no one. What was opened is logged before it is
    handed on. Raises Forbidden when the reader has lost the right meanwhile.
    """
    left, before = MAX_SEQUENCE if limit is None else limit, MAX_SEQUENCE
    while left > 0:
        size = min(left, OPENED_AT_ONCE if reader.reads_content else ROWS_AT_ONCE)
        with tenant_atomic(tenant_id):
            reader.admit()
            portion = [read_one(trace, reader) for trace in _portion(wanted, before=before, size=size)]
        yield from portion
        if len(portion) < size:
            return
        left, before = left - size, portion[-1].trace.sequence


def read_one(trace: Trace, reader: Reader) -> ExportedTrace:
    """One trace through its reader, in the caller's tenant scope; the caller has to let the transaction commit."""
    if not reader.reads_content:
        return ExportedTrace(trace)
    try:
        opened, trouble = reader.open(trace), None
    except TraceUnreadable as error:
        opened, trouble = None, error
    return ExportedTrace(trace, trace_shape(trace), opened, trouble)


def _portion(wanted: Wanted, *, before: int, size: int) -> list[Trace]:
    rows = _rows(wanted).filter(sequence__lt=before).select_related("key", "reply")
    return list(rows.defer("sealed", "sealed_prompt").order_by("-sequence")[:size])


def _rows(wanted: Wanted) -> QuerySet[Trace]:
    filters = {
        "outcome": wanted.outcome,
        "confidence_band": wanted.band,
        "language": wanted.language,
        "created_at__gte": wanted.since,
        "created_at__lt": wanted.until,
        "reply_id": wanted.reply_id,
    }
    rows: QuerySet[Trace] = Trace.objects.filter(**{name: value for name, value in filters.items() if value})
    return rows

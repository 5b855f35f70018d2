"""The metrics of traces as a table for spreadsheets: plain columns, no content."""

from __future__ import annotations

from helpdesk.pages.spreadsheets import BYTE_ORDER_MARK, text_row
from tracing.columns import COLUMNS
from tracing.export.jsonl import iso
from tracing.models import Trace

NAMES = tuple(column.name for column in COLUMNS if column.in_csv)
DERIVED = ("steps_ms", "erased_at", "feedback")


def header_row() -> bytes:
    """The byte order mark and the names of the columns."""
    return BYTE_ORDER_MARK + text_row([*NAMES, *DERIVED])


def trace_row(trace: Trace) -> bytes:
    """One trace. `steps_ms` lists the steps as name=milliseconds, `feedback` as giver=rating."""
    values = [iso(trace.created_at) if name == "created_at" else getattr(trace, name) for name in NAMES]
    steps = "; ".join(f"{step['name']}={step['duration_ms']}" for step in trace.steps)
    feedback = "; ".join(f"{given.given_by}={given.rating}" for given in trace.reply.feedback.all())
    return text_row([*values, steps, iso(trace.key.destroyed_at) if trace.key.destroyed_at else None, feedback])


def note_row(text: str) -> bytes:
    """A last row that is no trace: its first cell says something about the file."""
    return text_row([text])

"""The metrics of traces as a table for spreadsheets: plain columns, no content."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from tracing.columns import COLUMNS
from tracing.export.jsonl import iso
from tracing.models import Trace

# Excel takes a file for UTF-8 only with this mark.
BYTE_ORDER_MARK = "\ufeff".encode()
NAMES = tuple(column.name for column in COLUMNS if column.in_csv)
DERIVED = ("steps_ms", "erased_at", "feedback")
# What a spreadsheet may run as a formula at the start of a cell, full width too.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"


def header_row() -> bytes:
    """The byte order mark and the names of the columns."""
    return BYTE_ORDER_MARK + _row([*NAMES, *DERIVED])


def trace_row(trace: Trace) -> bytes:
    """One trace. `steps_ms` lists the steps as name=milliseconds, `feedback` as giver=rating."""
    values = [iso(trace.created_at) if name == "created_at" else getattr(trace, name) for name in NAMES]
    steps = "; ".join(f"{step['name']}={step['duration_ms']}" for step in trace.steps)
    feedback = "; ".join(f"{given.given_by}={given.rating}" for given in trace.reply.feedback.all())
    return _row([*values, steps, iso(trace.key.destroyed_at) if trace.key.destroyed_at else None, feedback])


def note_row(text: str) -> bytes:
    """A last row that is no trace: its first cell says something about the file."""
    return _row([text])


def text_row(values: Sequence[object]) -> bytes:
    """A row of any table, in which no cell is a formula."""
    return _row(values)


def _row(values: Sequence[object]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([_cell(value) for value in values])
    return line.getvalue().encode()


def _cell(value: object) -> object:
    """Numbers stay numbers; text that begins like a formula gets an apostrophe, which spreadsheets do not show."""
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    begins_like_one = text.startswith(tuple(FORMULA_STARTS)) or text.lstrip().startswith(tuple(FORMULA_STARTS))
    return f"'{text}" if begins_like_one else text

"""A set of traces as the bytes of a file, piece by piece, with a last line that says when something is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from helpdesk.errors import GlassdeskError
from tracing.export import csv, jsonl
from tracing.export.rows import ExportedTrace


@dataclass(frozen=True, slots=True)
class Layout:
    """How a format writes its head, a trace, and a note."""

    head: bytes
    encode: Callable[[ExportedTrace], bytes]
    note: Callable[[str], bytes]


def csv_layout() -> Layout:
    """Metrics for spreadsheets."""
    return Layout(csv.header_row(), lambda exported: csv.trace_row(exported.trace), csv.note_row)


def jsonl_layout(tenant: str) -> Layout:
    """Complete traces."""
    return Layout(b"", lambda exported: jsonl.trace_line(exported, tenant=tenant), jsonl.note_line)


def pieces(rows: Iterator[ExportedTrace], layout: Layout, *, last_note: str = "") -> Iterator[bytes]:
    """The file. An error ends it with a note instead of breaking it off: the head of the answer has left long ago."""
    if layout.head:
        yield layout.head
    try:
        for exported in rows:
            yield layout.encode(exported)
    except GlassdeskError as error:
        last_note = f"{error.code}: {error.message}"
    if last_note:
        yield layout.note(last_note)

"""Lists of traces. Runs inside `tenant_atomic`; never reads a payload."""

from __future__ import annotations

from dataclasses import dataclass

from tracing.models import Trace

ROWS_PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class TracePage:
    """One page, the newest first; `next_before` continues behind its last row, None at the end."""

    rows: list[Trace]
    next_before: int | None


def trace_page(
    *, outcome: str = "", band: str = "", language: str = "", before: int | None = None, limit: int = ROWS_PER_PAGE
) -> TracePage:
    """Traces older than sequence `before`; empty filters do not restrict."""
    wanted = {"outcome": outcome, "confidence_band": band, "language": language}
    rows = Trace.objects.filter(**{name: value for name, value in wanted.items() if value}).defer(
        "sealed", "sealed_prompt"
    )
    if before is not None:
        rows = rows.filter(sequence__lt=before)
    found = list(rows.order_by("-sequence")[: limit + 1])
    more = len(found) > limit
    return TracePage(found[:limit], found[limit - 1].sequence if more else None)

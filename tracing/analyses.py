"""Finished analyses of a trace: stored sealed under the same customer's key, chained, read through `tracing.read`."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from helpdesk.crypto import SealError
from helpdesk.tenants.scope import current_tenant_id
from tracing.chain import append_to_chain, locked_head
from tracing.customer_keys import active_content_key
from tracing.keys import stored_key, unwrapped
from tracing.links import digest
from tracing.models import AnalysisKind, Trace, TraceAnalysis
from tracing.opening import is_blank
from tracing.plain import Malformed
from tracing.sealing import analysis_data, seal_content, unseal_bytes

FIGURE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What PostgreSQL's jsonb gives back as the same number.
FIGURE_DIGITS = 6
MAX_FIGURE = 1e12


class ContentGone(SealError):
    """The trace's content was deleted or erased meanwhile: nothing may be derived from it any more."""


@dataclass(frozen=True, slots=True)
class OpenedAnalysis:
    """A finished analysis; `content` is None when it was deleted by the retention policy."""

    kind: str
    created_at: datetime
    duration_ms: float
    figures: dict[str, Any]
    content: dict[str, Any] | None


def record_analysis(
    trace: Trace, *, kind: AnalysisKind, content: dict[str, Any], figures: dict[str, Any], duration_ms: float
) -> TraceAnalysis:
    """Seal and store a finished analysis in the caller's tenant scope.

    `figures` are plain: numbers, None, and lists and dictionaries of them. Raises Malformed for anything else, SealError
    without a usable key, ContentGone when the trace's answer was deleted or its key destroyed while it was analysed.
    """
    plain = _numbers(figures)
    encoded = _encode(content)
    with transaction.atomic():
        # Under this lock neither retention nor erasure can come between the question and the row.
        locked_head()
        _refuse_gone(trace)
        row = TraceAnalysis(id=uuid4(), tenant_id=current_tenant_id(), trace=trace, kind=str(kind), figures=plain)
        row.created_at, row.duration_ms = timezone.now(), round(float(duration_ms), 3) + 0.0
        row.key, key = active_content_key(trace.conversation.visitor_id)
        row.sealed = seal_content(key, encoded, _place(row))
        row.sealed_digest = digest(row.sealed)
        return append_to_chain(row)


def opened_analyses(trace: Trace) -> tuple[OpenedAnalysis, ...]:
    """With their contents, for `tracing.read` alone. Raises SealError when one does not open."""
    return tuple(_opened(row) for row in TraceAnalysis.objects.filter(trace=trace).order_by("sequence"))


def _opened(row: TraceAnalysis) -> OpenedAnalysis:
    content = None
    if not is_blank(row.sealed, row.sealed_digest):
        content = json.loads(unseal_bytes(unwrapped(stored_key(row.key_id)), bytes(row.sealed), _place(row)))
    return OpenedAnalysis(row.kind, row.created_at, row.duration_ms, row.figures, content)


def _refuse_gone(trace: Trace) -> None:
    current: Trace | None = Trace.objects.filter(id=trace.id).select_related("key").defer("sealed_prompt").first()
    if current is None or current.key.destroyed_at or is_blank(current.sealed, current.sealed_digest):
        raise ContentGone("The content was deleted while it was analysed; the analysis is not kept.")


def _encode(content: dict[str, Any]) -> bytes:
    try:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="replace")
    except (TypeError, ValueError):
        # Without the cause, which may quote the value.
        raise Malformed("the analysis holds a value that JSON cannot carry") from None


def _numbers(value: Any, place: str = "figures") -> Any:
    """The figures, rounded so that the database gives the same numbers back."""
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str) or not FIGURE_NAME.fullmatch(name):
                raise Malformed(f"{place} has a name that is no fixed word")
        return {name: _numbers(item, f"{place}.{name}") for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers(item, place) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value) and abs(value) < MAX_FIGURE:
        return round(value, FIGURE_DIGITS) + 0.0
    raise Malformed(f"{place} holds something else than numbers")


def _place(row: TraceAnalysis) -> bytes:
    return analysis_data(tenant_id=row.tenant_id, trace_id=row.trace_id, analysis_id=row.id)

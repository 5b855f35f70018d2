"""The desk's pages about traces: the list, the locked report, and the report opened for a reason."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from tracing import words
from tracing.forms import FilterForm, ReasonForm
from tracing.models import Trace
from tracing.queries import trace_page
from tracing.read import TraceUnreadable, accesses_of, open_trace, trace_of_reply, trace_shape
from tracing.report import opened_report, shape_rows, timeline_rows


@never_cache
@desk_view(Right.SEE_TRACE)
def trace_list(request: DeskRequest) -> HttpResponse:
    """Traces, the newest first."""
    form = FilterForm(request.GET)
    form.is_valid()
    filters = {name: value for name, value in form.cleaned_data.items() if value}
    page = trace_page(**filters, before=_positive(request.GET.get("before", "")))
    context = {
        "form": form,
        "filters": filters,
        "rows": [_row(trace) for trace in page.rows],
        "older": urlencode({**filters, "before": page.next_before}) if page.next_before else "",
        "is_first_page": "before" not in request.GET,
    }
    return render(request, "tracing/list.html", context)


def _row(trace: Trace) -> dict[str, Any]:
    return {"trace": trace, "duration": words.milliseconds(trace.queue_ms + trace.total_ms)}


def _positive(text: str) -> int | None:
    # The column is a bigint: a longer number would be an error in the database.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


@never_cache
@desk_view(Right.SEE_TRACE)
def report(request: DeskRequest, reply_id: UUID) -> HttpResponse:
    """Metrics and shape; the content stays sealed."""
    return _render_report(request, trace_of_reply(reply_id), form=ReasonForm())


@never_cache
def open_report(request: HttpRequest, tenant_slug: str, reply_id: UUID) -> HttpResponse:
    """Open the content for the stated reason; a reload or a change of language comes back to the locked page."""
    if request.method != "POST":
        return redirect("tracing:report", tenant_slug=tenant_slug, reply_id=reply_id)
    return _opened(request, tenant_slug, reply_id=reply_id)


@desk_view(Right.READ_TRACE_CONTENT)
def _opened(request: DeskRequest, reply_id: UUID) -> HttpResponse:
    trace, form = trace_of_reply(reply_id), ReasonForm(request.POST)
    if not form.is_valid():
        return _render_report(request, trace, form=form, status=400)
    try:
        content = open_trace(
            trace=trace, user=request.user, membership=request.membership, reason=form.cleaned_data["reason"]
        )
    except TraceUnreadable as error:
        # Not raised further: the attempt has to stay in the log.
        return _render_report(request, trace, form=form, status=error.status, trouble=error.message)
    return _render_report(request, trace, opened=opened_report(content, finish_reason=trace.finish_reason))


def _render_report(request: DeskRequest, trace: Trace, *, status: int = 200, **context: Any) -> HttpResponse:
    shape = trace_shape(trace)
    may_open = Right.READ_TRACE_CONTENT in request.rights
    context |= {
        "trace": trace,
        "shape": shape,
        "shape_rows": shape_rows(shape),
        "timeline": timeline_rows(shape),
        "duration": words.milliseconds(shape.queue_ms + shape.total_ms),
        "first_token": None if shape.first_token_ms is None else words.milliseconds(shape.first_token_ms),
        "content_size": words.size(shape.content_bytes),
        "sealed_size": words.size(shape.sealed_bytes),
        "may_open": may_open,
        "accesses": accesses_of(trace) if may_open else [],
    }
    return render(request, "tracing/report.html", context, status=status)

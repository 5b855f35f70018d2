"""The desk's pages about traces: the list, the locked report, and the report opened for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from conversations.models import Feedback
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from tracing import words
from tracing.columns import column_words
from tracing.export_views import MAX_ROWS
from tracing.forms import AnalysisForm, ExportForm, FilterForm, ReasonForm
from tracing.job_failures import sentence_of
from tracing.jobs import open_jobs, request_analysis
from tracing.models import AnalysisJob, AnalysisKind, JobState, Trace
from tracing.queries import feedback_of, models_seen, original_reply_of, trace_page, turn_of
from tracing.read import TraceUnreadable, accesses_of, open_trace_and_analyses, trace_of_reply, trace_shape
from tracing.report import opened_report, shape_rows, timeline_rows
from tracing.report_analyses import analyses_view
from tracing.serving import other_models
from tracing.trend_views import trends_context

PAGE, DRAWER = "tracing/report.html", "tracing/_drawer.html"


@never_cache
@desk_view(Right.SEE_TRACE)
def trace_list(request: DeskRequest) -> HttpResponse:
    """Traces, the newest first."""
    form = FilterForm(request.GET, models=models_seen())
    form.is_valid()
    filters = {name: value for name, value in form.cleaned_data.items() if value}
    page = trace_page(form.wanted(), before=_positive(request.GET.get("before", "")))
    given = feedback_of(page.rows)
    context = {
        "form": form,
        "filters": filters,
        "rows": [_row(trace, given.get(trace.reply_id, [])) for trace in page.rows],
        "older": urlencode({**filters, "before": page.next_before}) if page.next_before else "",
        "is_first_page": "before" not in request.GET,
        "export_query": urlencode(filters),
        "export_form": ExportForm() if Right.READ_TRACE_CONTENT in request.rights else None,
        "export_limit": MAX_ROWS,
    }
    if context["is_first_page"]:
        context |= trends_context(request.GET.get("period", ""), form.wanted(), filters)
    return render(request, "tracing/list.html", context)


def _row(trace: Trace, feedback: list[Feedback]) -> dict[str, Any]:
    duration = words.milliseconds(trace.queue_ms + trace.total_ms)
    return {"trace": trace, "duration": duration, "feedback": feedback}


def _positive(text: str) -> int | None:
    # The column is a bigint: a longer number would be an error in the database.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


@dataclass(frozen=True, slots=True)
class JobRow:
    """An analysis that is not done, or has failed."""

    job: AnalysisJob

    @property
    def is_open(self) -> bool:
        return self.job.state != JobState.FAILED

    @property
    def trouble(self) -> str:
        return sentence_of(self.job.error_code)


@never_cache
@desk_view(Right.SEE_TRACE)
def report(request: DeskRequest, reply_id: UUID) -> HttpResponse:
    """Metrics and shape; the content stays sealed."""
    return _render_report(request, trace_of_reply(reply_id), form=ReasonForm())


@never_cache
def drawer(request: HttpRequest, tenant_slug: str, reply_id: UUID) -> HttpResponse:
    """The report's second depth, for the drawer beside a conversation: locked, or opened for the posted reason."""
    view = _drawer_opened if request.method == "POST" else _drawer_locked
    return view(request, tenant_slug, reply_id=reply_id)


@desk_view(Right.SEE_TRACE)
def _drawer_locked(request: DeskRequest, reply_id: UUID) -> HttpResponse:
    return _render_report(request, trace_of_reply(reply_id), template=DRAWER, form=ReasonForm())


@desk_view(Right.READ_TRACE_CONTENT)
def _drawer_opened(request: DeskRequest, reply_id: UUID) -> HttpResponse:
    trace, form = trace_of_reply(reply_id), ReasonForm(request.POST)
    if not form.is_valid():
        # htmx swaps a 422, so that the form comes back with its error.
        return _render_report(request, trace, template=DRAWER, form=form, status=422)
    return _render_opened(request, trace, form, template=DRAWER)


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
    return _render_opened(request, trace, form)


@never_cache
def analyse(request: HttpRequest, tenant_slug: str, reply_id: UUID) -> HttpResponse:
    """Ask for an analysis and show the opened report again: asking reads the content, and is logged like a read."""
    if request.method != "POST":
        return redirect("tracing:report", tenant_slug=tenant_slug, reply_id=reply_id)
    return _analysed(request, tenant_slug, reply_id=reply_id)


@desk_view(Right.READ_TRACE_CONTENT)
def _analysed(request: DeskRequest, reply_id: UUID) -> HttpResponse:
    trace = trace_of_reply(reply_id)
    # Which passages may be left out only the record says; the worker checks them against it.
    form = AnalysisForm(request.POST, models=other_models(trace))
    if not form.is_valid():
        return _render_report(request, trace, form=form, status=400)
    return _render_opened(request, trace, form, wanted=form)


@never_cache
@desk_view(Right.READ_TRACE_CONTENT)
def jobs(request: DeskRequest, reply_id: UUID) -> JsonResponse:
    """How many analyses of the answer are still to come; no content."""
    open_states = [job for job in open_jobs(trace_of_reply(reply_id)) if job.state != JobState.FAILED]
    return JsonResponse({"open": len(open_states)})


def _render_opened(
    request: DeskRequest, trace: Trace, form: ReasonForm, *, template: str = PAGE, wanted: AnalysisForm | None = None
) -> HttpResponse:
    """The content for the form's reason; then what is wanted is asked for, since a content that is gone has no causes."""
    reason = form.cleaned_data["reason"]
    try:
        opened = open_trace_and_analyses(trace=trace, user=request.user, membership=request.membership, reason=reason)
    except TraceUnreadable as error:
        # Not raised further: the attempt has to stay in the log.
        status = 422 if template == DRAWER else error.status
        return _render_report(request, trace, template=template, form=form, status=status, trouble=error.message)
    if wanted is not None:
        kind = AnalysisKind(wanted.cleaned_data["kind"])
        request_analysis(trace, kind=kind, parameters=wanted.parameters(), user=request.user)
    analyses = analyses_view(opened.content, opened.analyses)
    return _render_report(
        request,
        trace,
        template=template,
        opened=opened_report(
            opened.content,
            finish_reason=trace.finish_reason,
            caused=analyses.causes.groundedness if analyses.causes else None,
        ),
        analyses=analyses,
        jobs=[JobRow(job) for job in open_jobs(trace)],
        other_models=other_models(trace),
        reason=reason,
    )


def _render_report(
    request: DeskRequest, trace: Trace, *, template: str = PAGE, status: int = 200, **context: Any
) -> HttpResponse:
    shape = trace_shape(trace)
    may_open = Right.READ_TRACE_CONTENT in request.rights
    context |= {
        "trace": trace,
        "column_words": column_words(trace),
        "turn": turn_of(trace),
        "original_reply_id": original_reply_of(trace),
        "feedback": feedback_of([trace]).get(trace.reply_id, []),
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
    return render(request, template, context, status=status)

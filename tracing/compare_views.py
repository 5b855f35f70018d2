"""Two answers side by side: the shape at once, the content of both after one stated reason."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from helpdesk.errors import InvalidInput
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from tracing import words
from tracing.compare import compare
from tracing.forms import ReasonForm
from tracing.models import Trace
from tracing.read import TraceUnreadable, open_trace, trace_of_reply, trace_shape
from tracing.report import timeline_rows

PAGE = "tracing/compare.html"


@never_cache
def compare_answers(request: HttpRequest, tenant_slug: str) -> HttpResponse:
    """`?reply=…&reply=…` names the two answers."""
    view = _opened if request.method == "POST" else _locked
    return view(request, tenant_slug)


@desk_view(Right.SEE_TRACE)
def _locked(request: DeskRequest) -> HttpResponse:
    traces = _traces(request)
    return _render(request, traces, form=ReasonForm(), status=200 if len(traces) == 2 else 400)


@desk_view(Right.READ_TRACE_CONTENT)
def _opened(request: DeskRequest) -> HttpResponse:
    traces, form = _traces(request), ReasonForm(request.POST)
    if len(traces) != 2 or not form.is_valid():
        return _render(request, traces, form=form, status=400)
    contents = []
    for trace in traces:
        try:
            contents.append(
                open_trace(
                    trace=trace, user=request.user, membership=request.membership, reason=form.cleaned_data["reason"]
                )
            )
        except TraceUnreadable as error:
            # Not raised further: the attempts have to stay in the log.
            return _render(request, traces, form=form, status=error.status, trouble=error.message)
    numbered = [(content, trace.sequence) for content, trace in zip(contents, traces, strict=True)]
    return _render(request, traces, contents=numbered, comparison=compare(*contents))


def _traces(request: DeskRequest) -> list[Trace]:
    """The answers that the address names, each once. Raises NotFound for one that this company does not have."""
    try:
        replies = [UUID(text) for text in dict.fromkeys(request.GET.getlist("reply"))]
    except ValueError:
        raise InvalidInput from None
    return [trace_of_reply(reply_id) for reply_id in replies[:3]]


def _render(request: DeskRequest, traces: list[Trace], *, status: int = 200, **context: Any) -> HttpResponse:
    may_open = Right.READ_TRACE_CONTENT in request.rights
    sides = [
        {
            "trace": trace,
            "shape": (shape := trace_shape(trace)),
            "timeline": timeline_rows(shape),
            "duration": words.milliseconds(shape.queue_ms + shape.total_ms),
        }
        for trace in traces[:2]
    ]
    context |= {"sides": sides if len(traces) == 2 else [], "may_open": may_open}
    return render(request, PAGE, context, status=status)

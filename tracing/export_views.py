"""Files with traces from the desk: metrics for everybody who sees traces, contents after a stated reason."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from helpdesk.errors import InvalidInput
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from helpdesk.web.streaming import streamed
from tracing import words
from tracing.export import html, jsonl
from tracing.export.readers import DeskReader
from tracing.export.rows import count_traces, exported_traces, read_one
from tracing.export.streams import Layout, csv_layout, jsonl_layout, pieces
from tracing.forms import ExportForm, ExportOneForm, FilterForm
from tracing.queries import TraceFilter, models_seen
from tracing.read import trace_of_reply
from tracing.reasons import ReasonMissing
from tracing.throttles import check_export_rate

MAX_ROWS = 10_000
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


@never_cache
@desk_view(Right.SEE_TRACE)
def export_csv(request: DeskRequest) -> HttpResponse:
    """The metrics of the listed traces; no content, so no reason."""
    check_export_rate(request.user)
    return _stream(request, DeskReader(request.user), csv_layout(), extension="csv")


@never_cache
def export_jsonl(request: HttpRequest, tenant_slug: str) -> HttpResponse:
    """The listed traces with their contents, each logged as a read with the stated reason."""
    if request.method != "POST":
        return redirect("tracing:list", tenant_slug=tenant_slug)
    return _jsonl(request, tenant_slug)


@desk_view(Right.READ_TRACE_CONTENT)
def _jsonl(request: DeskRequest) -> HttpResponse:
    form = ExportForm(request.POST)
    if not form.is_valid():
        raise ReasonMissing
    check_export_rate(request.user)
    reader = DeskReader(request.user, form.cleaned_data["reason"])
    return _stream(request, reader, jsonl_layout(request.tenant.slug), extension="jsonl")


@never_cache
def export_one(request: HttpRequest, tenant_slug: str, reply_id: UUID) -> HttpResponse:
    """One trace as a JSON or HTML file; another read, logged with the same reason."""
    if request.method != "POST":
        return redirect("tracing:report", tenant_slug=tenant_slug, reply_id=reply_id)
    return _one(request, tenant_slug, reply_id=reply_id)


@desk_view(Right.READ_TRACE_CONTENT)
def _one(request: DeskRequest, reply_id: UUID) -> HttpResponse:
    form = ExportOneForm(request.POST)
    if not form.is_valid():
        raise ReasonMissing if "reason" in form.errors else InvalidInput
    reader = DeskReader(request.user, form.cleaned_data["reason"], request.membership)
    exported = read_one(trace_of_reply(reply_id), reader)
    if exported.trouble:
        # Not raised further: the attempt has to stay in the log.
        return render(request, "error.html", {"error": exported.trouble}, status=exported.trouble.status)
    extension, slug = form.cleaned_data["format"], request.tenant.slug
    encode = html.trace_page if extension == "html" else jsonl.trace_document
    response = HttpResponse(encode(exported, tenant=slug), content_type=CONTENT_TYPES[extension])
    _name_file(response, f"glassdesk-{slug}-trace-{exported.trace.sequence}.{extension}")
    return response


def _wanted(request: DeskRequest) -> TraceFilter:
    """The list's filter, which stands in the address."""
    form = FilterForm(request.GET, models=models_seen())
    form.is_valid()
    return form.wanted()


def _stream(request: DeskRequest, reader: DeskReader, layout: Layout, *, extension: str) -> HttpResponse:
    tenant, wanted, note = request.tenant, _wanted(request), ""
    total = count_traces(tenant.id, wanted)
    if total > MAX_ROWS:
        note = _(
            "This file has only the newest %(limit)s of %(total)s answers. To export all of them, run “manage.py "
            "export_traces %(tenant)s” on the server."
        ) % {"limit": words.count(MAX_ROWS), "total": words.count(total), "tenant": tenant.slug}
    # Read only after the view's transaction has ended: each portion opens the tenant's scope for itself.
    rows = exported_traces(tenant.id, wanted, reader=reader, limit=MAX_ROWS)
    found = pieces(rows, layout, last_note=note)
    response = streamed(request, found, content_type=CONTENT_TYPES[extension])
    _name_file(response, f"glassdesk-{tenant.slug}-traces-{timezone.now():%Y-%m-%d}.{extension}")
    return cast(HttpResponse, response)


def _name_file(response: HttpResponseBase, name: str) -> None:
    # Slugs have no character that the header would need to quote.
    response["Content-Disposition"] = f'attachment; filename="{name}"'

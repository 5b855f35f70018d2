"""Files with many traces for other software."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema

from helpdesk.api.one_type import OneType
from helpdesk.api.views import ApiRequest, ApiView, requires
from helpdesk.api_keys.scopes import Scope
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.web.streaming import streamed
from tracing.api.reading import body_of, reason_of, wanted_traces
from tracing.api.serializers import ContentExportSerializer, FilterSerializer
from tracing.export.readers import ClientReader
from tracing.export.rows import count_traces, exported_traces
from tracing.export.streams import Layout, csv_layout, jsonl_layout, pieces
from tracing.export_views import CONTENT_TYPES, MAX_ROWS
from tracing.forms import FilterForm
from tracing.queries import TraceFilter


class CsvView(ApiView):
    """Metrics as a table."""

    content_negotiation_class = OneType

    @extend_schema(
        operation_id="export_trace_figures",
        summary="Download the figures of traces",
        parameters=[FilterSerializer],
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="One trace a line.")},
    )
    @requires(Scope.TRACES_READ, atomic=False, query=FilterForm.base_fields)
    def get(self, request: ApiRequest) -> StreamingHttpResponse:
        """The newest 10,000 that match, as CSV; no content, so nothing is logged."""
        with tenant_atomic(request.auth.tenant_id):
            wanted = wanted_traces(request.query_params)
        return _stream(request, wanted, ClientReader(request.auth), csv_layout(), extension="csv")


class JsonlView(ApiView):
    """Complete traces, one a line."""

    content_negotiation_class = OneType

    @extend_schema(
        operation_id="export_trace_contents",
        summary="Download traces with their contents",
        request=ContentExportSerializer,
        responses={
            (200, "application/x-ndjson"): OpenApiResponse(OpenApiTypes.STR, description="`glassdesk.trace/1` lines.")
        },
    )
    @requires(Scope.TRACES_CONTENT, atomic=False)
    def post(self, request: ApiRequest) -> HttpResponse | StreamingHttpResponse:
        """The newest 10,000 that match, one a line. Each is logged as a read, with key and reason."""
        body = body_of(request.data, known={"reason", *FilterForm.base_fields})
        reader = ClientReader(request.auth, reason_of(body))
        with tenant_atomic(request.auth.tenant_id):
            wanted = wanted_traces(body)
            slug = Tenant.objects.get(id=request.auth.tenant_id).slug
        return _stream(request, wanted, reader, jsonl_layout(slug), extension="jsonl")


def _stream(
    request: ApiRequest, wanted: TraceFilter, reader: ClientReader, layout: Layout, *, extension: str
) -> StreamingHttpResponse:
    tenant_id = request.auth.tenant_id
    total, note = count_traces(tenant_id, wanted), ""
    if total > MAX_ROWS:
        note = _("This file has only the newest %(limit)s of %(total)s answers. Choose a shorter period.") % {
            "limit": MAX_ROWS,
            "total": total,
        }
    rows = exported_traces(tenant_id, wanted, reader=reader, limit=MAX_ROWS)
    found = pieces(rows, layout, last_note=note)
    return streamed(request._request, found, content_type=CONTENT_TYPES[extension])

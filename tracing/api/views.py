"""Listing, reading, analysing and rating traces, and checking their chain."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from conversations.feedback import give_feedback
from conversations.models import Giver
from helpdesk.api.pagination import PAGE_QUERY, page_response
from helpdesk.api.schema import PAGE_PARAMETERS
from helpdesk.api.shapes import page_of
from helpdesk.api.views import ApiRequest, ApiView, requires
from helpdesk.api_keys.scopes import Scope
from helpdesk.crypto import SealError
from helpdesk.errors import NotFound
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic, tenant_snapshot
from tracing.anchors import read_anchors
from tracing.api.reading import analysis_of, body_of, reason_of, wanted_traces
from tracing.api.serializers import FilterSerializer, NewAnalysisSerializer, NewFeedbackSerializer, ReasonSerializer
from tracing.api.shapes import (
    AnalysisShape,
    ExportedShape,
    GivenShape,
    GoneShape,
    TraceDetailShape,
    TraceShape,
    VerificationShape,
    trace_shapes,
)
from tracing.export.jsonl import trace_line
from tracing.export.readers import ClientReader
from tracing.export.rows import read_one
from tracing.forms import FilterForm
from tracing.jobs import request_analysis
from tracing.models import AnalysisJob
from tracing.queries import filtered_traces
from tracing.read import TraceErased, TraceUnreadable, trace_by_id
from tracing.verify import verify_chain

GONE = OpenApiResponse(GoneShape, description="The content was erased.")


class TracesView(ApiView):
    """The tenant's traces."""

    @extend_schema(
        operation_id="list_traces",
        summary="List traces, the newest first",
        parameters=[FilterSerializer, *PAGE_PARAMETERS],
        responses=page_of(TraceShape),
    )
    @requires(Scope.TRACES_READ, query=(*FilterForm.base_fields, *PAGE_QUERY))
    def get(self, request: ApiRequest) -> Response:
        """Figures only; nothing is opened and nothing logged."""
        rows = filtered_traces(wanted_traces(request.query_params)).select_related("key")
        response = page_response(request, rows, lambda trace: trace, order=["-sequence"])
        response.data["data"] = [shape.as_json() for shape in trace_shapes(response.data["data"])]
        return response


class TraceView(ApiView):
    """One trace."""

    @extend_schema(operation_id="read_trace", summary="Read the figures of a trace", responses=TraceDetailShape)
    @requires(Scope.TRACES_READ)
    def get(self, request: ApiRequest, trace_id: UUID) -> Response:
        """With its steps, its place in the conversation and its place in the chain."""
        return Response(TraceDetailShape.whole(trace_by_id(trace_id)).as_json())


class ContentView(ApiView):
    """The sealed content of one trace."""

    @extend_schema(
        operation_id="open_trace",
        summary="Open the content of a trace",
        request=ReasonSerializer,
        responses={200: ExportedShape, 410: GONE},
    )
    @requires(Scope.TRACES_CONTENT, atomic=False)
    def post(self, request: ApiRequest, trace_id: UUID) -> HttpResponse:
        """Key, reason and time are logged in the chain before it is sent."""
        client = request.auth
        reader = ClientReader(client, reason_of(body_of(request.data, known={"reason"})))
        with tenant_atomic(client.tenant_id):
            exported = read_one(trace_by_id(trace_id), reader)
            # Raised behind the transaction: the attempt has to stay in the log.
            trouble = exported.trouble
            line = b"" if trouble else trace_line(exported, tenant=Tenant.objects.get(id=client.tenant_id).slug)
        if trouble:
            raise trouble
        # Not a Response, whose data would be kept in clear for an Idempotency-Key.
        return HttpResponse(line, content_type="application/json")


class AnalysesView(ApiView):
    """What was asked about one answer afterwards."""

    @extend_schema(
        operation_id="list_analyses",
        summary="List the analyses of a trace, the newest first",
        parameters=PAGE_PARAMETERS,
        responses=page_of(AnalysisShape),
    )
    @requires(Scope.TRACES_READ, query=PAGE_QUERY)
    def get(self, request: ApiRequest, trace_id: UUID) -> Response:
        """States and figures; their words come with the trace's content."""
        jobs = (
            AnalysisJob.objects.filter(trace=trace_by_id(trace_id)).select_related("analysis").defer("analysis__sealed")
        )
        return page_response(request, jobs, lambda job: AnalysisShape.of(job).as_json(), order=["-queued_at", "-id"])

    @extend_schema(
        operation_id="analyse_trace",
        summary="Replay an answer, or have its causes or alternatives found",
        request=NewAnalysisSerializer,
        responses={202: AnalysisShape, 410: GONE},
    )
    @requires(Scope.TRACES_WRITE)
    def post(self, request: ApiRequest, trace_id: UUID) -> Response:
        """Done when the engine has time; the same request that is still open is returned instead of a second one."""
        trace = trace_by_id(trace_id)
        kind, parameters = analysis_of(body_of(request.data, known={"kind", "without", "is_free", "model"}), trace)
        if trace.key.destroyed_at:
            raise TraceErased
        job = request_analysis(trace, kind=kind, parameters=parameters, api_key_id=request.auth.key_id)
        return Response(AnalysisShape.of(job).as_json(), status=202)


class FeedbackView(ApiView):
    """What the caller thinks of one answer."""

    @extend_schema(
        operation_id="rate_answer", summary="Rate an answer", request=NewFeedbackSerializer, responses=GivenShape
    )
    @requires(Scope.TRACES_WRITE)
    def post(self, request: ApiRequest, trace_id: UUID) -> Response:
        """A later rating replaces the earlier one."""
        answer_id = trace_by_id(trace_id).reply.answer_id
        if answer_id is None:
            raise NotFound
        body: dict[str, Any] = dict(body_of(request.data, known={"rating", "reason", "comment"}))
        given = give_feedback(
            tenant_id=request.auth.tenant_id,
            message_id=answer_id,
            rating=body.get("rating"),
            reason=body.get("reason", ""),
            comment=body.get("comment", ""),
            given_by=Giver.API,
            actor_id=str(request.auth.key_id),
        )
        return Response(GivenShape.of(given).as_json())


class VerifyView(ApiView):
    """Whether the record is genuine."""

    @extend_schema(
        operation_id="verify_traces",
        summary="Check whether the record is genuine",
        request=None,
        responses=VerificationShape,
    )
    @requires(Scope.TRACES_READ, atomic=False)
    def post(self, request: ApiRequest) -> Response:
        """Walks the tenant's chain and names each row that was altered, moved, removed or inserted."""
        anchors = read_anchors()
        try:
            with tenant_snapshot(request.auth.tenant_id):
                found = verify_chain(anchors, seconds=settings.API_VERIFY_SECONDS)
        except SealError:
            raise TraceUnreadable from None
        return Response(VerificationShape.of(found).as_json())

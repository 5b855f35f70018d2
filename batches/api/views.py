"""Submitting, following, fetching and cancelling batch jobs."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from batches.api.parsers import JsonLinesSubmission, JsonSubmission
from batches.api.serializers import NewBatchSerializer
from batches.domain import cancel_batch, submit_batch
from batches.lines import Submission
from batches.models import OPEN_STATES, Batch
from batches.queries import Progress, batch_by_id, progress_of
from batches.result_lines import FINISHED, POSITION, found, place, result_lines
from batches.shapes import BatchResultsShape, BatchShape, result_shapes
from helpdesk.api.one_type import OneType
from helpdesk.api.pagination import PAGE_QUERY, page_response, requested_limit
from helpdesk.api.schema import PAGE_PARAMETERS
from helpdesk.api.shapes import page_of
from helpdesk.api.views import ApiRequest, ApiView, requires
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import InvalidInput
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.web.streaming import streamed

RESULTS_IN_A_PAGE = 500
LARGEST = 2**31 - 1
ORDER = OpenApiParameter(
    "order",
    enum=[FINISHED, POSITION],
    default=FINISHED,
    description="`finished`: as the items end, so that nothing is missed. `position`: as they were submitted.",
)
AFTER = OpenApiParameter(
    "after",
    {"type": "integer", "minimum": 0, "maximum": LARGEST, "default": 0},
    description="Only results behind this number, or behind this position.",
)


class BatchesView(ApiView):
    """All batches of the tenant."""

    parser_classes = [JsonSubmission, JsonLinesSubmission]
    max_body_bytes = settings.BATCH_MAX_BYTES

    @extend_schema(
        operation_id="list_batches",
        summary="List batches, the newest first",
        parameters=PAGE_PARAMETERS,
        responses=page_of(BatchShape),
    )
    @requires(Scope.BATCHES_READ, query=PAGE_QUERY)
    def get(self, request: ApiRequest) -> Response:
        """Each with its progress."""
        response = page_response(request, Batch.objects.all(), lambda batch: batch)
        progress = progress_of(response.data["data"])
        response.data["data"] = [BatchShape.of(batch, progress[batch.id]).as_json() for batch in response.data["data"]]
        return response

    @extend_schema(
        operation_id="submit_batch",
        summary="Submit up to 10,000 items",
        request={"application/json": NewBatchSerializer, "application/x-ndjson": OpenApiTypes.STR},
        responses={201: BatchShape},
        parameters=[OpenApiParameter("name", OpenApiTypes.STR, description="Of a batch that is sent as JSON lines.")],
    )
    @requires(Scope.BATCHES_WRITE, atomic=False, query=("name",))
    def post(self, request: ApiRequest) -> Response:
        """All are stored, or none and the error lists what is wrong in which line."""
        client, submission = request.auth, cast(object, request.data)
        if not isinstance(submission, Submission):
            # An empty body never reaches a parser.
            raise InvalidInput(_("A batch needs at least one item."))
        batch = submit_batch(tenant_id=client.tenant_id, submission=submission, api_key_id=client.key_id)
        described = BatchShape.of(batch, Progress(waiting=batch.item_count)).as_json()
        return Response(described, status=201, headers={"Location": f"/api/v1/batches/{batch.id}"})


class BatchView(ApiView):
    """One batch."""

    @extend_schema(operation_id="read_batch", summary="Read a batch with its progress", responses=BatchShape)
    @requires(Scope.BATCHES_READ)
    def get(self, request: ApiRequest, batch_id: UUID) -> Response:
        """Items are counted by state."""
        return Response(_described(batch_by_id(batch_id)))


class CancelView(ApiView):
    """Ending a batch early."""

    @extend_schema(operation_id="cancel_batch", summary="Cancel a batch", request=None, responses=BatchShape)
    @requires(Scope.BATCHES_WRITE)
    def post(self, request: ApiRequest, batch_id: UUID) -> Response:
        """What waits is cancelled, what is being written is stopped, what has ended keeps its result."""
        return Response(_described(cancel_batch(tenant_id=request.auth.tenant_id, batch_id=batch_id)))


class ResultsView(ApiView):
    """The results of a batch in pages."""

    @extend_schema(
        operation_id="read_batch_results",
        summary="Fetch results as they come",
        parameters=[
            AFTER,
            ORDER,
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": RESULTS_IN_A_PAGE, "default": 20}),
        ],
        responses=BatchResultsShape,
    )
    @requires(Scope.BATCHES_READ, query=("order", "after", "limit"))
    def get(self, request: ApiRequest, batch_id: UUID) -> Response:
        """Call again with the `after` of the last answer until `complete` is true."""
        batch = batch_by_id(batch_id)
        order, after = _order(request), _after(request)
        limit = requested_limit(request, max_limit=RESULTS_IN_A_PAGE)
        items = found(batch, order, after=after, limit=limit + 1)
        shown, has_more = items[:limit], len(items) > limit
        last = place(shown[-1], order) if shown else after
        following = None
        if has_more:
            query = urlencode({"order": order, "limit": limit, "after": last})
            following = request.build_absolute_uri(f"{request.path}?{query}")
        is_complete = batch.state not in OPEN_STATES and not has_more
        page = BatchResultsShape(data=result_shapes(shown), next=following, after=last, complete=is_complete)
        return Response(page.as_json())


class ResultLinesView(ApiView):
    """The results of a batch as one file."""

    content_negotiation_class = OneType

    @extend_schema(
        operation_id="download_batch_results",
        summary="Download all results so far",
        parameters=[AFTER, ORDER],
        responses={(200, "application/x-ndjson"): OpenApiResponse(OpenApiTypes.STR, description="One result a line.")},
    )
    @requires(Scope.BATCHES_READ, atomic=False, query=("order", "after"))
    def get(self, request: ApiRequest, batch_id: UUID) -> StreamingHttpResponse:
        """One JSON object a line."""
        order, after = _order(request), _after(request)
        tenant_id = request.auth.tenant_id
        with tenant_atomic(tenant_id):
            batch = batch_by_id(batch_id)
        lines = result_lines(tenant_id, batch, order, after=after)
        return streamed(request._request, lines, content_type="application/x-ndjson; charset=utf-8")


def _described(batch: Batch) -> dict[str, Any]:
    return BatchShape.of(batch, progress_of([batch])[batch.id]).as_json()


def _order(request: ApiRequest) -> str:
    order = request.query_params.get("order", FINISHED)
    if order not in {FINISHED, POSITION}:
        raise InvalidInput(_("“order” must be “finished” or “position”."), parameter="order")
    return order


def _after(request: ApiRequest) -> int:
    raw = request.query_params.get("after", "0")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 11 and int(raw) <= LARGEST):
        raise InvalidInput(_("“after” must be a number from an earlier response."), parameter="after")
    return int(raw)

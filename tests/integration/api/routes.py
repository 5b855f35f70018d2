"""Endpoints that exist for tests of what all endpoints share."""

from __future__ import annotations

from typing import Any

import redis
from django.db import OperationalError
from django.http import StreamingHttpResponse
from django.urls import include, path, re_path
from rest_framework.response import Response

from conversations.models import Visitor
from helpdesk.api.errors import UnknownRouteView
from helpdesk.api.pagination import PAGE_QUERY, page_response
from helpdesk.api.views import ApiRequest, ApiView, requires
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import Conflict


class VisitorsView(ApiView):
    """Rows of the tenant, listed and made."""

    max_body_bytes = 2000

    @requires(Scope.CONVERSATIONS_READ, query=PAGE_QUERY)
    def get(self, request: ApiRequest) -> Response:
        return page_response(request, Visitor.objects.all(), lambda row: str(row.id))

    @requires(Scope.CONVERSATIONS_WRITE)
    def post(self, request: ApiRequest) -> Any:
        visitor = Visitor.objects.create()
        match request.data.get("then"):
            case "conflict":
                raise Conflict
            case "fault":
                raise RuntimeError("a fault")
            case "database":
                raise OperationalError("the connection is closed")
            case "redis":
                raise redis.ConnectionError
            case "stream":
                return StreamingHttpResponse([str(visitor.id)], content_type="text/plain")
        self.idempotency_subject = visitor.id
        return Response({"id": str(visitor.id)}, status=201, headers={"Location": f"/api/v1/visitors/{visitor.id}"})


class UndeclaredView(ApiView):
    """Somebody forgot to say which scope it needs."""

    def get(self, request: ApiRequest) -> Response:
        return Response({})


urlpatterns = [
    path("api/v1/visitors", VisitorsView.as_view()),
    path("api/v1/undeclared", UndeclaredView.as_view()),
    path("api/v1/", include("helpdesk.api.urls")),
    re_path(r"^api(?:/|$)", UnknownRouteView.as_view()),
]
handler400 = "helpdesk.api.errors.bad_request"
handler500 = "helpdesk.api.errors.server_error"

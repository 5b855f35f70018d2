"""What the web process counts itself: requests by route, and open websockets."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Gauge, Histogram

Application = Callable[[Any, Any, Any], Awaitable[None]]

REQUESTS = Counter("glassdesk_http_requests", "HTTP requests answered.", ["route", "status"])
REQUEST_SECONDS = Histogram(
    "glassdesk_http_request_seconds",
    "Time to answer an HTTP request; of a streamed answer until its first part.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
WEBSOCKETS = Gauge("glassdesk_websocket_connections", "Open websockets.", ["kind"])
SOCKET_KINDS = ("widget", "desk")


def route_of(request: HttpRequest) -> str:
    """The route's name, which holds none of the address's values."""
    if request.path.startswith(settings.STATIC_URL):
        return "static"
    match = request.resolver_match
    return (match.view_name or "unnamed") if match else "unknown"


class MetricsMiddleware:
    """Counts every request by the name of its route and the class of its status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.get_response(request)
        route = route_of(request)
        REQUESTS.labels(route, f"{response.status_code // 100}xx").inc()
        REQUEST_SECONDS.labels(route).observe(time.perf_counter() - begun)
        return response


class CountedSockets:
    """ASGI middleware that counts open websockets by kind."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        kind = next((each for each in SOCKET_KINDS if scope["path"].startswith(f"/ws/{each}/")), "other")
        with WEBSOCKETS.labels(kind).track_inprogress():
            await self.application(scope, receive, send)

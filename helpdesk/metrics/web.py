"""What the web process counts itself: requests by route, and open websockets."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
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
    """Counts every request by the name of its route and the class of its status. An async view needs no thread for it."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self.is_async:
            return self.__acall__(request)
        begun = time.perf_counter()
        return _counted(request, self.get_response(request), begun)

    async def __acall__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        return _counted(request, await self.get_response(request), begun)


def _counted(request: HttpRequest, response: HttpResponse, begun: float) -> HttpResponse:
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

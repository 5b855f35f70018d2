"""A worker's own `/metrics`, on a port of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import structlog
from django.conf import settings
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from helpdesk.metrics.access import may_scrape

logger = structlog.get_logger(__name__)

Start = Callable[..., Any]


class _Quiet(WSGIRequestHandler):
    """A scrape every few seconds is no event."""

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


def serve_metrics(registry: CollectorRegistry) -> ThreadingWSGIServer | None:
    """Serve the registry in the background where the settings say; None when they say nowhere or the port is taken."""
    if not settings.METRICS_PORT:
        return None
    try:
        server = make_server(
            settings.METRICS_BIND, settings.METRICS_PORT, guarded(registry), ThreadingWSGIServer, handler_class=_Quiet
        )
    except OSError as error:
        # Answers matter more than figures about them.
        logger.error("metrics_not_served", port=settings.METRICS_PORT, error=type(error).__name__)
        return None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def guarded(registry: CollectorRegistry) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The WSGI application, closed to whom `may_scrape` refuses."""
    application = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        if not may_scrape(
            remote=environ.get("REMOTE_ADDR", ""),
            headers=environ,
            authorization=environ.get("HTTP_AUTHORIZATION", ""),
            token=settings.METRICS_TOKEN,
        ):
            start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"Metrics can be read from this machine, or with the token in GLASSDESK_METRICS_TOKEN.\n"]
        parts: Iterable[bytes] = application(environ, start_response)
        return parts

    return answer

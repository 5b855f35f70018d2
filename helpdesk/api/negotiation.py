"""Endpoints that stream events: a caller that accepts only those still gets its errors in JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

EVENTS = "text/event-stream"


class EventsOrJson(DefaultContentNegotiation):
    """Accepts `text/event-stream` as well as JSON; whatever is rendered is an error, and that is JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        if EVENTS in request.headers.get("Accept", ""):
            renderer = next(iter(renderers))
            return renderer, renderer.media_type
        return super().select_renderer(request, renderers, format_suffix)

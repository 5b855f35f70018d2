"""Times are shown in the browser's time zone, which static/desk/theme.js puts into a cookie."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "glassdesk_timezone"


class BrowserTimezoneMiddleware:
    """Activates the time zone of the cookie for the request; an unknown one, or none, is UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone(unquote(request.COOKIES.get(COOKIE, "")))):
            return self.get_response(request)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if 0 < len(name) <= 64 else None
    except (KeyError, ValueError, OSError):
        # ZoneInfoNotFoundError is a KeyError; a path in the name is a ValueError, a folder an OSError.
        return None

"""Times are shown in the browser's time zone, which static/desk/theme.js puts into a cookie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "glassdesk_timezone"


GetResponse = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]


class BrowserTimezoneMiddleware:
    """Activates the time zone of the cookie for the request; an unknown one, or none, is UTC."""

    sync_capable = async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if self.is_async:
            return self.__acall__(request)
        with timezone.override(_zone_of(request)):
            return self.get_response(request)

    async def __acall__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone_of(request)):
            return await cast("Awaitable[HttpResponse]", self.get_response(request))


def _zone_of(request: HttpRequest) -> ZoneInfo | None:
    return _zone(unquote(request.COOKIES.get(COOKIE, "")))


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if 0 < len(name) <= 64 else None
    except (KeyError, ValueError, OSError):
        # ZoneInfoNotFoundError is a KeyError; a path in the name is a ValueError, a folder an OSError.
        return None

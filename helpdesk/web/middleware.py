"""What every answer has in common: domain errors become JSON for API clients and a page for people, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin

from helpdesk.errors import GlassdeskError


def wants_json(request: HttpRequest) -> bool:
    """Whether the caller is an API client."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


@sync_and_async_middleware
def no_store(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """No browser or proxy keeps an answer: pages show what customers wrote, and who may see them changes.

    It stands behind the static files, which are the only answers that may be kept. Async views need no thread for it.
    """

    async def answer_later(request: HttpRequest) -> HttpResponseBase:
        return _unkept(await get_response(request))

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _unkept(get_response(request))

    return answer_later if iscoroutinefunction(get_response) else answer


def _unkept(response: HttpResponseBase) -> HttpResponseBase:
    if "no-store" not in response.headers.get("Cache-Control", ""):
        response.headers["Cache-Control"] = "no-store"
    return response


class DomainErrorMiddleware(MiddlewareMixin):
    """The one mapper from GlassdeskError to HTTP."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, GlassdeskError):
            return None
        if wants_json(request):
            return JsonResponse(exception.as_dict(), status=exception.status)
        return render(request, "error.html", {"error": exception}, status=exception.status)

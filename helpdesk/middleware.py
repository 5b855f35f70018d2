"""What every answer has in common: domain errors become JSON for programs and a page for people, and nothing is stored."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from helpdesk.errors import GlassdeskError


def wants_json(request: HttpRequest) -> bool:
    """Whether the caller is a program."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


class NoStoreMiddleware(MiddlewareMixin):
    """No browser or proxy keeps an answer: pages show what customers wrote, and who may see them changes.

    It stands behind the static files, which are the only answers that may be kept.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
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

"""Turns domain errors into answers: JSON for programs, a page for people."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from helpdesk.errors import GlassdeskError


def wants_json(request: HttpRequest) -> bool:
    """Whether the caller is a program."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


class DomainErrorMiddleware(MiddlewareMixin):
    """The one mapper from GlassdeskError to HTTP."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, GlassdeskError):
            return None
        if wants_json(request):
            return JsonResponse(exception.as_dict(), status=exception.status)
        return render(request, "error.html", {"error": exception}, status=exception.status)

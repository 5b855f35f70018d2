"""What every JSON endpoint shares: one error body."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from helpdesk.errors import Forbidden, GlassdeskError, InvalidInput, NotFound, TooManyRequests


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Map domain errors and the framework's own ones to `{"error": {"code", "message", ...}}`."""
    translated = _translate(error)
    if translated is None:
        response = drf_exception_handler(error, context)
        if response is not None:
            response.data = {"error": {"code": "invalid", "message": str(getattr(error, "detail", error))}}
        return response
    response = Response(translated.as_dict(), status=translated.status)
    if isinstance(translated, TooManyRequests):
        response["Retry-After"] = str(translated.retry_after)
    return response


def _translate(error: Exception) -> GlassdeskError | None:
    match error:
        case GlassdeskError():
            return error
        case Http404():
            return NotFound()
        case PermissionDenied():
            return Forbidden()
        case exceptions.Throttled():
            return TooManyRequests(retry_after=int(getattr(error, "wait", None) or 1))
        case exceptions.ParseError() | exceptions.ValidationError():
            return (
                InvalidInput(fields=error.detail) if isinstance(error.detail, dict) else InvalidInput(str(error.detail))
            )
    return None

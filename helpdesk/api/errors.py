"""What every JSON endpoint shares: one error body, `{"error": {"code", "message", ...}}`."""

from __future__ import annotations

from typing import Any

import redis
import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from helpdesk.api.json_body import UnreadableBody
from helpdesk.api_keys.errors import InvalidApiKey
from helpdesk.errors import Forbidden, GlassdeskError, InvalidInput, NotFound, TooManyRequests, Unavailable

logger = structlog.get_logger(__name__)

OPENAI_PATH = "/v1/"
API_PATHS = ("/api/", OPENAI_PATH)
UNAVAILABLE_RETRY_SECONDS = 5
# The servers behind the desk are away; other errors of the database are faults of ours.
SERVERS_AWAY = (OperationalError, InterfaceError, redis.RedisError)


class UnknownRoute(NotFound):
    """No endpoint has this address."""

    code = "unknown_route"
    message = _("There is no such endpoint. See /api/v1/docs/ for the list.")


class MethodNotAllowed(GlassdeskError):
    """The header Allow names the methods that exist."""

    code = "method_not_allowed"
    status = 405
    message = _("This endpoint doesn't support this method. The “Allow” header lists the ones it does.")


class NotAcceptable(GlassdeskError):
    """The caller accepts no type that the endpoint writes."""

    code = "not_acceptable"
    status = 406
    message = _("This endpoint responds with JSON. Accept “application/json”.")


class UnsupportedMediaType(GlassdeskError):
    """The body has a type that the endpoint does not read."""

    code = "unsupported_media_type"
    status = 415
    message = _("This endpoint doesn't accept this content type. Send “Content-Type: application/json”.")


class PartAway(Unavailable):
    """The database or Redis does not answer."""

    message = _("Part of the desk isn't available right now. Try again in a few seconds.")


_OF_THE_FRAMEWORK: dict[type[Exception], type[GlassdeskError]] = {
    Http404: NotFound,
    PermissionDenied: Forbidden,
    exceptions.PermissionDenied: Forbidden,
    exceptions.NotAuthenticated: InvalidApiKey,
    exceptions.AuthenticationFailed: InvalidApiKey,
    exceptions.NotFound: NotFound,
    exceptions.MethodNotAllowed: MethodNotAllowed,
    exceptions.NotAcceptable: NotAcceptable,
    exceptions.UnsupportedMediaType: UnsupportedMediaType,
    exceptions.ParseError: UnreadableBody,
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Map domain errors and the framework's own ones to the error body; None for a fault of ours."""
    translated = translate(error)
    if translated is None:
        return None
    if isinstance(error, SERVERS_AWAY):
        logger.warning("api_unavailable", error=type(error).__name__)
    set_rollback()
    return error_response(translated)


def error_response(error: GlassdeskError) -> Response:
    """The error body with the headers that belong to its status."""
    response = Response(error.as_dict(), status=error.status, headers={"Cache-Control": "no-store"})
    if isinstance(error, TooManyRequests):
        response["Retry-After"] = str(error.retry_after)
    if isinstance(error, PartAway):
        response["Retry-After"] = str(UNAVAILABLE_RETRY_SECONDS)
    if isinstance(error, InvalidApiKey):
        response["WWW-Authenticate"] = 'Bearer realm="glassdesk"'
    return response


def translate(error: Exception) -> GlassdeskError | None:
    """The error of ours that says the same; None for one that nobody foresaw."""
    if isinstance(error, GlassdeskError):
        return error
    if isinstance(error, SERVERS_AWAY):
        return PartAway()
    if isinstance(error, exceptions.Throttled):
        return TooManyRequests(retry_after=int(getattr(error, "wait", None) or 1))
    if isinstance(error, exceptions.ValidationError):
        return InvalidInput(fields=error.detail) if isinstance(error.detail, dict) else InvalidInput(str(error.detail))
    for known, ours in _OF_THE_FRAMEWORK.items():
        if isinstance(error, known):
            return ours()
    return None


class UnknownRouteView(APIView):
    """What answers below /api/ when nothing else does, to any method."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """There is nothing to let anybody in to."""
        raise UnknownRoute


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The framework refused the request before a view saw it."""
    return _plain(InvalidInput(), request) if _is_of_the_api(request) else defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours, in the form that the caller reads."""
    return _plain(GlassdeskError(), request) if _is_of_the_api(request) else defaults.server_error(request)


def _is_of_the_api(request: HttpRequest) -> bool:
    return request.path.startswith(API_PATHS)


def _plain(error: GlassdeskError, request: HttpRequest) -> HttpResponse:
    body: dict[str, Any] = error.as_dict()
    if request.path.startswith(OPENAI_PATH):
        # What OpenAI's clients look for beside code and message.
        body["error"] |= {"type": "server_error" if error.status >= 500 else "invalid_request_error", "param": None}
    return JsonResponse(body, status=error.status, headers={"Cache-Control": "no-store"})

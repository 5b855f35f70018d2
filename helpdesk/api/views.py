"""The base of every endpoint for API clients: key, limits, scope, one transaction in the tenant's scope, idempotency."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from contextlib import nullcontext, suppress
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helpdesk.api import idempotency
from helpdesk.api.authentication import ApiKeyAuthentication
from helpdesk.api.errors import SERVERS_AWAY
from helpdesk.api.json_body import BODY_BYTES, BodyTooLarge
from helpdesk.api.limits import Quota, count_request
from helpdesk.api.parsers import StrictJSONParser
from helpdesk.api.strict import refuse_unknown
from helpdesk.api_keys.domain import ApiClient
from helpdesk.api_keys.errors import InvalidApiKey, ScopeMissing
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import TooManyRequests
from helpdesk.tenants.scope import tenant_atomic

Handler = TypeVar("Handler", bound=Callable[..., Any])

WITH_A_BODY = {"POST", "PUT", "PATCH", "DELETE"}


class ApiRequest(Request):
    """A request that passed `requires`."""

    auth: ApiClient


def requires(scope: Scope | None, *, atomic: bool = True, query: Collection[str] = ()) -> Callable[[Handler], Handler]:
    """Decorate a handler of an ApiView with the scope that it needs; None lets every sound key in.

    `query` are the names that its address may carry behind the question mark; others are refused.

    It runs inside `tenant_atomic`, and an error rolls it back. `atomic=False` is for handlers that wait or stream: they
    open the scope themselves, for a moment at a time.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def guarded(view: APIView, request: ApiRequest, *args: Any, **kwargs: Any) -> Any:
            if not atomic:
                return handler(view, request, *args, **kwargs)
            with tenant_atomic(request.auth.tenant_id):
                return handler(view, request, *args, **kwargs)

        guarded.required_scope = scope  # type: ignore[attr-defined]
        guarded.query = query  # type: ignore[attr-defined]
        return cast(Handler, guarded)

    return decorate


def handler_of(view: APIView, request: Request) -> Any:
    """The method that will answer; None when the view has none for this one."""
    name = (request.method or "").lower()
    return getattr(view, name, None) if name in view.http_method_names else None


class HasScope(BasePermission):
    """The key carries the scope that the handler names. A handler that names none fails loudly."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        handler = handler_of(view, request)
        if handler is None:
            return True
        scope: Scope | None = handler.required_scope
        if scope is not None and scope not in cast(ApiRequest, request).auth.scopes:
            raise ScopeMissing(scope)
        return True


class ApiView(APIView):
    """Handlers carry `requires`. Every answer to a sound key says how much of its limit is left."""

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [HasScope]
    parser_classes: list[type[BaseParser]] = [StrictJSONParser]
    max_body_bytes = BODY_BYTES
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    idempotency_subject: UUID | None = None

    _quota: Quota | None = None
    _claimed: UUID | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the request in, or raise. The key comes first, so that a stranger learns nothing else."""
        self.perform_authentication(request)
        client = request.auth
        if not isinstance(client, ApiClient):
            raise InvalidApiKey
        self._quota = count_request(client)
        if self._quota is not None and self._quota.is_exceeded:
            raise TooManyRequests(retry_after=self._quota.reset_seconds)
        super().initial(request, *args, **kwargs)
        handler = handler_of(self, request)
        if handler is not None:
            refuse_unknown(request.query_params, handler.query)
        if request.method in WITH_A_BODY:
            body = read_body(request._request, limit=self.max_body_bytes)
            key = request.headers.get(idempotency.HEADER)
            if request.method == "POST" and key is not None:
                digest = idempotency.request_digest(request.method, request.get_full_path(), body)
                self._claimed = idempotency.claim(client, key=key, digest=digest)

    def handle_exception(self, exc: Exception) -> Response:
        """The error body; a fault of ours gives its idempotency key back before it goes up."""
        if isinstance(exc, idempotency.Replayed):
            return cast(Response, exc.response)
        try:
            return super().handle_exception(exc)
        except Exception:
            self.settle(Response(status=500))
            raise

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        self.settle(response)
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._quota is not None:
            self._quota.write_headers(response)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def settle(self, response: HttpResponseBase) -> None:
        if self._claimed is not None:
            client, claimed, self._claimed = cast(ApiRequest, self.request).auth, self._claimed, None
            # While the database is away a failure stays in progress until its lease has run out.
            with suppress(*SERVERS_AWAY) if response.status_code >= 500 else nullcontext():
                idempotency.settle(client, claimed, response, subject=self.idempotency_subject)


def read_body(request: HttpRequest, *, limit: int) -> bytes:
    """The whole body, at most `limit` bytes of it, also when the caller named no length. Raises BodyTooLarge."""
    named = request.META.get("CONTENT_LENGTH") or ""
    length = int(named) if named.isascii() and named.isdigit() else None
    if length is not None and length > limit:
        raise BodyTooLarge(limit=limit)
    body = request.read(limit + 1 if length is None else length)
    if len(body) > limit:
        raise BodyTooLarge(limit=limit)
    # What `request.body` keeps, for the parsers to read again; theirs is another limit.
    request._body = body
    request._stream = io.BytesIO(body)
    request.META["CONTENT_LENGTH"] = str(len(body))
    return bytes(body)

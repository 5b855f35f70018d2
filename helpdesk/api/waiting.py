"""Endpoints that wait: the parts before and after run as in every other endpoint, and none of the waiting holds a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.api.views import ApiView
from helpdesk.tenants.off_loop import in_database

# Nginx's word for it; nobody reads this status.
CLIENT_GONE = 499


@dataclass(frozen=True, slots=True)
class Later:
    """What a handler returns that has to wait: for `what`, whose result `answer` turns into the response."""

    what: Callable[[], Awaitable[Any]]
    answer: Callable[[Any], Response]


class WaitingApiView(ApiView):
    """An ApiView whose handlers may return Later.

    A caller who goes away meanwhile gives its Idempotency-Key back: the same request, sent again, is carried out again and
    finds what the first one stored.
    """

    view_is_async = True

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """Key, limits, scope and the handler; then the waiting, if that is what it returned; then the response."""
        beginning = asyncio.ensure_future(in_database(super().dispatch, request, *args, **kwargs))
        try:
            begun = await asyncio.shield(beginning)
            if not isinstance(begun, Later):
                return begun
            result = await _outcome(begun)
        except asyncio.CancelledError:
            await asyncio.shield(self._leave(beginning))
            raise
        return await in_database(self._answer, begun, result)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(response, Later):
            return response
        return super().finalize_response(request, response, *args, **kwargs)

    async def _leave(self, beginning: asyncio.Future[Any]) -> None:
        """Nobody waits any more; the thread that began may still be at it."""
        await asyncio.wait([beginning])
        if beginning.exception() is None and isinstance(beginning.result(), Later):
            await in_database(self.settle, Response(status=CLIENT_GONE))

    def _answer(self, begun: Later, result: Any) -> HttpResponseBase:
        try:
            if isinstance(result, Exception):
                raise result
            response = begun.answer(result)
        except Exception as error:
            response = self.handle_exception(error)
        finished: HttpResponseBase = self.finalize_response(self.request, response)
        return finished


async def _outcome(begun: Later) -> Any:
    try:
        return await begun.what()
    except Exception as error:
        return error

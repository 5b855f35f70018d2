"""Who acts: the rights of the person whose request is being served, which domain functions ask for.

A page enters with the rights of the person's role; a request to the desk that has not passed that door has none. Customers,
API keys, workers and the shell act as nobody in particular: what they may do is decided where they come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from helpdesk.errors import Forbidden
from helpdesk.permissions import Right

P = ParamSpec("P")
R = TypeVar("R")
DESK = "/desk/"

_rights: ContextVar[frozenset[Right] | None] = ContextVar("glassdesk_rights", default=None)


@contextmanager
def acting_with(rights: frozenset[Right]) -> Iterator[None]:
    """What is done inside is done by a person with these rights."""
    token = _rights.set(rights)
    try:
        yield
    finally:
        _rights.reset(token)


def needs(right: Right) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a domain function: a person who acts without the right gets Forbidden, before anything is looked at."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            rights = _rights.get()
            if rights is not None and right not in rights:
                raise Forbidden
            return function(*args, **kwargs)

        checked.needed_right = right  # type: ignore[attr-defined]
        return checked

    return decorate


@sync_and_async_middleware
def nobody_yet(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """A request to the desk begins without any right: a page that forgets its door changes nothing."""

    async def answer_later(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(DESK):
            return await get_response(request)  # type: ignore[no-any-return]
        with acting_with(frozenset()):
            return await get_response(request)  # type: ignore[no-any-return]

    def answer(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(DESK):
            return get_response(request)  # type: ignore[no-any-return]
        with acting_with(frozenset()):
            return get_response(request)  # type: ignore[no-any-return]

    return answer_later if iscoroutinefunction(get_response) else answer

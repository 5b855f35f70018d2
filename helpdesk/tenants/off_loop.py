"""Database functions called from the event loop, and requests that wait without a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections

P = ParamSpec("P")
R = TypeVar("R")


async def in_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a short database function in a thread of its own: the shared one would let a slow query stall every socket."""

    def run_and_give_back() -> R:
        try:
            return function(*args, **kwargs)
        finally:
            # Every socket uses many threads for a moment each: a connection kept by each would empty the pool.
            connections.close_all()

    return await sync_to_async(run_and_give_back, thread_sensitive=False)()


def give_back_request_thread() -> None:
    """End the thread that is kept for a request's synchronous parts; the next part gets a new one.

    Django's signals and middleware make one for every request, which would idle for as long as the request waits.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context is not None else None
    if executor is not None:
        # Its database connection would not find back to the pool by itself.
        executor.submit(connections.close_all)
        executor.shutdown(wait=False)

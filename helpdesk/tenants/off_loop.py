"""Database functions called from the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
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

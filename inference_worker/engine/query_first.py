"""A lock for one model that serves people and background work: whoever answers a person goes first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class QueryFirstLock:
    """Mutual exclusion in which a waiting query is let in before any waiting background batch."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._busy = False
        self._queries = 0

    @contextmanager
    def query(self) -> Iterator[None]:
        """Hold the lock for a person."""
        with self._turn:
            self._queries += 1
            self._turn.wait_for(lambda: not self._busy)
            self._queries -= 1
            self._busy = True
        try:
            yield
        finally:
            self._release()

    @contextmanager
    def background(self) -> Iterator[None]:
        """Hold the lock for work that can wait."""
        with self._turn:
            self._turn.wait_for(lambda: not self._busy and not self._queries)
            self._busy = True
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        with self._turn:
            self._busy = False
            self._turn.notify_all()

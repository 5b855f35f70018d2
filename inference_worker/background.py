"""Work for the quiet moments of one worker: one item after the other, and only while no reply is being written."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from uuid import UUID

import structlog
from django.db import DatabaseError, connections

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.05

# What an item's work says: True to try it again when it is quiet.
Work = Callable[[UUID, UUID], bool]


class IdleQueue:
    """Takes items (tenant, row) from tasks, so that background work never occupies the threads that answer customers.

    An item starts when no reply is being written, or after `longest_wait` seconds: replies go first, but under steady
    traffic a new article must still become searchable. What is lost with the process is asked for again by a sweep.
    """

    def __init__(self, name: str, work: Work, *, is_answering: Callable[[], bool], longest_wait: float) -> None:
        self._work = work
        self._name = name
        self._is_answering = is_answering
        self._longest_wait = longest_wait
        self._waiting: queue.SimpleQueue[tuple[UUID, UUID] | None] = queue.SimpleQueue()
        self._known: set[UUID] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._working = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def add(self, tenant_id: UUID, row_id: UUID) -> None:
        """Work on this row when its turn comes; one that waits already is not added twice."""
        with self._lock:
            if row_id in self._known:
                return
            self._known.add(row_id)
        self._waiting.put((tenant_id, row_id))

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being worked on."""
        return not self._working and not self._known

    def stop(self) -> None:
        """End after the item in progress; the rest is left to the sweep."""
        self._stopping.set()
        with self._lock:
            self._known.clear()
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put(None)

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            self._wait_for_replies()
            with self._lock:
                self._working = True
                self._known.discard(item[1])
            try:
                again = self._work(*item)
            except DatabaseError as error:
                again = False
                logger.warning("background_work_failed", queue=self._name, error=type(error).__name__)
            finally:
                connections.close_all()
                self._working = False
            if again and not self._stopping.is_set():
                self.add(*item)

    def _wait_for_replies(self) -> None:
        give_up_at = time.monotonic() + self._longest_wait
        while self._is_answering() and time.monotonic() < give_up_at and not self._stopping.is_set():
            time.sleep(POLL_SECONDS)

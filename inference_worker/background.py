"""Work for the quiet moments of one worker: one item after the other, and only while no reply is being written."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from uuid import UUID

import structlog
from django.db import connections

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.05

# Works on one item; says True to have it tried again when it is quiet.
WorkOn = Callable[[UUID, UUID], bool]


class IdleQueue:
    """Takes items (tenant, row) from tasks, so that background work never occupies the threads that answer customers.

    An item starts when no reply is being written, or after `longest_wait` seconds: replies go first, but under steady
    traffic a new article must still become searchable. Tenants take turns, so that the import of one does not keep the
    others' articles waiting. What is lost with the process is asked for again by a sweep.
    """

    def __init__(self, name: str, work_on: WorkOn, *, is_answering: Callable[[], bool], longest_wait: float) -> None:
        self._work_on = work_on
        self._name = name
        self._is_answering = is_answering
        self._longest_wait = longest_wait
        self._waiting: OrderedDict[UUID, deque[UUID]] = OrderedDict()
        self._known: set[UUID] = set()
        self._changed = threading.Condition()
        self._stopping = False
        self._working = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Items that wait or are being worked on."""
        return len(self._known) + self._working

    def add(self, tenant_id: UUID, row_id: UUID) -> None:
        """Work on this row when its turn comes; one that waits already is not added twice."""
        with self._changed:
            if row_id in self._known or self._stopping:
                return
            self._known.add(row_id)
            self._waiting.setdefault(tenant_id, deque()).append(row_id)
            self._changed.notify()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being worked on."""
        return not len(self)

    def stop(self) -> None:
        """End after the item in progress; the rest is left to the sweep."""
        with self._changed:
            self._stopping = True
            self._known.clear()
            self._waiting.clear()
            self._changed.notify()

    def _run(self) -> None:
        while self._wait_for_work():
            self._wait_for_replies()
            if (item := self._take()) is None:
                continue
            try:
                again = self._work_on(*item)
            except Exception as error:
                again = False
                logger.warning("background_work_failed", queue=self._name, error=type(error).__name__)
            finally:
                connections.close_all()
                self._working = False
            if again:
                self.add(*item)

    def _wait_for_work(self) -> bool:
        """False when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            return not self._stopping

    def _take(self) -> tuple[UUID, UUID] | None:
        """The next item of the tenant whose turn it is; the tenant then stands behind the others."""
        with self._changed:
            if not self._waiting:
                return None
            tenant_id, rows = next(iter(self._waiting.items()))
            row_id = rows.popleft()
            self._waiting.move_to_end(tenant_id)
            if not rows:
                del self._waiting[tenant_id]
            self._known.discard(row_id)
            self._working = True
            return tenant_id, row_id

    def _wait_for_replies(self) -> None:
        give_up_at = time.monotonic() + self._longest_wait
        while self._is_answering() and time.monotonic() < give_up_at and not self._stopping:
            time.sleep(POLL_SECONDS)

"""Embedding in the background of one worker: one version after the other, and only while no reply is being written."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from uuid import UUID

import structlog
from django.db import DatabaseError, connections

from inference_worker.embedding import embed_version
from inference_worker.engine import Embedder

logger = structlog.get_logger(__name__)

# Replies go first, but under steady traffic a new article must still become searchable.
LONGEST_WAIT_SECONDS = 3.0
POLL_SECONDS = 0.05


class EmbeddingQueue:
    """Takes versions from tasks, so that a large import never occupies the threads that answer customers.

    What is lost with the process is asked for again by the sweep in knowledge.tasks.
    """

    def __init__(self, embedder: Embedder, *, is_answering: Callable[[], bool]) -> None:
        self._embedder = embedder
        self._is_answering = is_answering
        self._waiting: queue.SimpleQueue[tuple[UUID, UUID] | None] = queue.SimpleQueue()
        self._known: set[UUID] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="embedding", daemon=True)
        self._thread.start()

    def add(self, tenant_id: UUID, version_id: UUID) -> None:
        """Embed this version when its turn comes; one that waits already is not added twice."""
        with self._lock:
            if version_id in self._known:
                return
            self._known.add(version_id)
        self._waiting.put((tenant_id, version_id))

    def stop(self) -> None:
        """End after the version in progress; the rest is left to the sweep."""
        with self._lock:
            self._known.clear()
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put(None)

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            self._wait_for_replies()
            with self._lock:
                self._known.discard(item[1])
            try:
                embed_version(*item, self._embedder)
            except DatabaseError as error:
                logger.warning("version_not_embedded", version_id=str(item[1]), error=type(error).__name__)
            finally:
                connections.close_all()

    def _wait_for_replies(self) -> None:
        give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
        while self._is_answering() and time.monotonic() < give_up_at:
            time.sleep(POLL_SECONDS)

"""Tests of traces ask without a worker: what they leave queued must not make the desk look busy to the next one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpdesk.queue.celery import KEY_PREFIX
from helpdesk.streams.writer import client


@pytest.fixture(autouse=True)
def nobody_queued() -> Iterator[None]:
    """Empties the queue of replies afterwards."""
    yield
    if names := list(client().scan_iter(f"{KEY_PREFIX}inference*")):
        client().delete(*names)

"""Background work: tenants take turns, and one bad item keeps nobody waiting."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from uuid import UUID

import pytest

from inference_worker.background import IdleQueue

IMPORT, SHOP = uuid.uuid4(), uuid.uuid4()


class Recorder:
    """Work that waits for `go`; remembers what it was given."""

    def __init__(self) -> None:
        self.done: list[tuple[UUID, UUID]] = []
        self.go = threading.Event()
        self.bad: set[UUID] = set()

    def __call__(self, tenant_id: UUID, row_id: UUID) -> bool:
        assert self.go.wait(10)
        self.done.append((tenant_id, row_id))
        if row_id in self.bad:
            raise ValueError("cannot be read")
        return False


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def queue(recorder: Recorder) -> Iterator[IdleQueue]:
    made = IdleQueue("test", recorder, is_answering=lambda: False, longest_wait=0.0)
    yield made
    recorder.go.set()
    made.stop()


def finish(queue: IdleQueue, recorder: Recorder) -> None:
    recorder.go.set()
    for _ in range(1000):
        if queue.is_idle:
            return
        threading.Event().wait(0.01)
    raise AssertionError("the work did not end")


def test_one_tenants_import_does_not_keep_anothers_article_waiting(queue: IdleQueue, recorder: Recorder) -> None:
    rows = [uuid.uuid4() for _ in range(40)]
    for row in rows:
        queue.add(IMPORT, row)
    article = uuid.uuid4()
    queue.add(SHOP, article)
    assert len(queue) == 41
    finish(queue, recorder)
    assert recorder.done.index((SHOP, article)) <= 2
    assert [row for tenant, row in recorder.done if tenant == IMPORT] == rows


def test_a_row_that_waits_is_not_added_twice(queue: IdleQueue, recorder: Recorder) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    for row in (first, second, second, second):
        queue.add(SHOP, row)
    finish(queue, recorder)
    assert recorder.done == [(SHOP, first), (SHOP, second)]


def test_a_row_that_cannot_be_worked_on_is_left_and_the_next_ones_follow(queue: IdleQueue, recorder: Recorder) -> None:
    bad, good = uuid.uuid4(), uuid.uuid4()
    recorder.bad.add(bad)
    queue.add(SHOP, bad)
    queue.add(SHOP, good)
    finish(queue, recorder)
    assert recorder.done == [(SHOP, bad), (SHOP, good)]

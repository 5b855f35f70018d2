"""What the terminal says of an engine that its worker restarts by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from helpdesk.embedded.engine_watch import EngineWatch
from helpdesk.queue.workers import KEY, WorkerStatus
from helpdesk.streams.writer import client
from tests.integration.operations.workers import report, status


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[EngineWatch, list[str]]]:
    monkeypatch.setattr("helpdesk.embedded.engine_watch.LOOK_SECONDS", 0.0)
    client().delete(KEY)
    said: list[str] = []
    yield EngineWatch(client(), said.append), said
    client().delete(KEY)


def after(watch: tuple[EngineWatch, list[str]], *workers: WorkerStatus) -> list[str]:
    """What is said when the workers report this."""
    engines, said = watch
    said.clear()
    report(*workers)
    engines.look()
    return list(said)


def test_a_death_and_the_restart_are_said_once(watch: tuple[EngineWatch, list[str]]) -> None:
    assert after(watch, status("a", state="loading")) == []
    assert after(watch, status("a")) == ["The inference worker is warm."]
    assert after(watch, status("a", state="restarting")) == [
        "The engine of the inference worker died; the worker is starting it again."
    ]
    assert after(watch, status("a", state="restarting")) == []
    assert after(watch, status("a", restarts=1)) == [
        "The inference worker has started its engine again (restart 1); it is warm."
    ]
    assert after(watch, status("a", restarts=1)) == []


def test_a_restart_between_two_looks_is_not_missed(watch: tuple[EngineWatch, list[str]]) -> None:
    after(watch, status("a"))
    assert after(watch, status("a", restarts=2)) == [
        "The inference worker has started its engine again (restart 2); it is warm."
    ]


def test_a_frozen_engine_is_said_with_its_models_name(watch: tuple[EngineWatch, list[str]]) -> None:
    after(watch, status("a", alias="large"))
    assert after(watch, status("a", alias="large", state="stalled")) == [
        "The engine of the inference worker of large does not answer; nothing is sent to it until it does."
    ]
    assert after(watch, status("a", alias="large")) == ["The engine of the inference worker of large answers again."]


def test_a_worker_that_stops_or_goes_silent_is_the_supervisors_business(watch: tuple[EngineWatch, list[str]]) -> None:
    after(watch, status("a"), status("b"))
    assert after(watch, status("a", state="draining")) == []
    report(status("b"), age=60)
    assert after(watch) == []


def test_without_redis_nothing_is_said(watch: tuple[EngineWatch, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr("helpdesk.embedded.engine_watch.read_workers", away)
    assert after(watch, status("a")) == []


def test_a_busy_machine_is_said_once_until_it_was_calm(watch: tuple[EngineWatch, list[str]]) -> None:
    after(watch, status("a", processor_share=0.9))
    assert after(watch, status("a", processor_share=0.31)) == [
        "The machine is busy: other work leaves the engine of the inference worker 31% of the processor time that it "
        "wants. Answers take longer."
    ]
    assert after(watch, status("a", processor_share=0.2)) == []
    assert after(watch, status("a", processor_share=None)) == []
    assert after(watch, status("a", processor_share=0.2)) == []
    assert after(watch, status("a", processor_share=0.55)) == []
    assert after(watch, status("a", processor_share=0.45)) == []
    assert after(watch, status("a", processor_share=0.8)) == []
    assert len(after(watch, status("a", processor_share=0.4))) == 1


def test_a_busy_machine_hides_nothing_else(watch: tuple[EngineWatch, list[str]]) -> None:
    after(watch, status("a", state="loading"))
    lines = after(watch, status("a", processor_share=0.2, indexing=9))
    assert [line.split(" ")[0] for line in lines] == ["The", "The", "Articles"]


def test_articles_that_wait_for_their_vectors_are_said(
    watch: tuple[EngineWatch, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    after(watch, status("a"))
    assert after(watch, status("a", indexing=75)) == [
        "Articles are being indexed; until then they are found by their words."
    ]
    assert after(watch, status("a", indexing=12)) == []
    assert after(watch, status("a")) == []  # the next sweep may bring more
    monkeypatch.setattr("helpdesk.embedded.engine_watch.SETTLED_SECONDS", 0.0)
    assert after(watch, status("a", indexing=3)) == []
    assert after(watch, status("a")) == ["All articles are indexed."]
    assert after(watch, status("a")) == []

"""The load log names its steps in order, tells what lasts, and forgets what a restart repeats."""

from __future__ import annotations

import pytest

from inference_worker.engine.load_log import LoadLog


def names(log: LoadLog) -> list[str]:
    return [step.name for step in log.steps()]


def test_a_step_is_open_while_it_lasts() -> None:
    log = LoadLog()
    with log.step("libraries"):
        assert [(step.name, step.seconds) for step in log.steps()] == [("libraries", None)]
    assert all(step.seconds is not None and step.seconds >= 0 for step in log.steps())


def test_a_step_that_fails_stays_open() -> None:
    log = LoadLog()
    with pytest.raises(OSError), log.step("weights"):
        raise OSError
    assert [(step.name, step.seconds) for step in log.steps()] == [("weights", None)]


def test_a_repeated_step_replaces_the_earlier_one() -> None:
    log = LoadLog()
    log.add("embedder", 1.0)
    for _ in range(2):
        with log.step("libraries"):
            pass
        with log.step("warm_up"):
            pass
    assert names(log) == ["embedder", "libraries", "warm_up"]


def test_a_step_is_replaced_by_what_it_consisted_of() -> None:
    log = LoadLog()
    for seconds in (3.0, 2.0):
        log.add("libraries", 1.0)
        log.add("engine", 9.0)
        log.split("engine", {"engine_processes": 5.0, "weights": seconds, "kv_cache": -0.001})
    assert [(step.name, step.seconds) for step in log.steps()] == [
        ("libraries", 1.0),
        ("engine_processes", 5.0),
        ("weights", 2.0),
        ("kv_cache", 0.0),
    ]

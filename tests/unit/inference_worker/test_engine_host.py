"""The engine host starts, watches, restarts and stops an engine on a loop of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from inference_worker.engine.contract import ChatTurn, EngineError, GenerationRequest
from inference_worker.engine.host import EngineHost, EngineState
from inference_worker.engine.processor_share import ProcessorShare, ProcessorTimes
from inference_worker.engine.scripted import ScriptedEngine


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine("one two three four five", delay=0.02)


@pytest.fixture
def host(engine: ScriptedEngine) -> Iterator[EngineHost]:
    host = EngineHost(engine, check_seconds=0.01, backoff_seconds=0.01)
    host.start()
    yield host
    host.stop()


async def text(engine: ScriptedEngine) -> str:
    prompt = engine.render([ChatTurn("user", "?")])
    return "".join([delta.text async for delta in engine.stream(GenerationRequest("r1", prompt))])


def test_host_is_ready_after_start(host: EngineHost, engine: ScriptedEngine) -> None:
    assert host.ready
    assert host.submit(text(engine)).result(5) == "one two three four five"


def test_dead_engine_is_restarted(host: EngineHost, engine: ScriptedEngine) -> None:
    restarted = threading.Event()
    original = engine.start

    async def start() -> None:
        await original()
        restarted.set()

    engine.start = start  # type: ignore[method-assign]
    engine.kill()
    assert restarted.wait(5)
    assert host.wait_ready(5)
    assert (engine.starts, host.submit(text(engine)).result(5)) == (2, "one two three four five")


def test_requests_are_refused_while_the_engine_restarts(engine: ScriptedEngine) -> None:
    host = EngineHost(engine, check_seconds=0.01, backoff_seconds=30)
    host.start()
    try:
        running = host.submit(text(engine))
        engine.kill()
        with pytest.raises(EngineError):
            running.result(5)
        while host.ready:
            threading.Event().wait(0.01)
        with pytest.raises(EngineError) as caught:
            host.submit(text(engine))
        assert caught.value.retryable
    finally:
        host.stop()


def test_stop_ends_running_requests_and_the_thread(engine: ScriptedEngine) -> None:
    before = set(threading.enumerate())
    host = EngineHost(engine, check_seconds=5)
    host.start()
    running = host.submit(text(engine))
    host.stop()
    host.stop()
    with pytest.raises(EngineError):
        running.result(5)
    assert (host.ready, engine.alive) == (False, False)
    assert set(threading.enumerate()) <= before


def test_failed_start_is_reported_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())

    class Broken(ScriptedEngine):
        async def start(self) -> None:
            raise EngineError("The model could not be loaded.", retryable=False)

    host = EngineHost(Broken())
    with pytest.raises(EngineError, match="could not be loaded"):
        host.start()
    assert set(threading.enumerate()) <= before


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Poll until the condition holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        threading.Event().wait(0.005)


@pytest.fixture
def watchful(engine: ScriptedEngine) -> Iterator[EngineHost]:
    """A host that takes an engine for frozen after 0.2 s, and restarts one only after minutes."""
    host = EngineHost(engine, check_seconds=0.01, backoff_seconds=0.01, stall_seconds=0.2, stall_restart_seconds=300)
    host.start()
    yield host
    engine.frozen = False
    host.stop()


def test_frozen_engine_is_not_ready_until_it_answers_again(watchful: EngineHost, engine: ScriptedEngine) -> None:
    engine.frozen = True
    until(lambda: watchful.state == EngineState.STALLED)
    assert not watchful.ready
    with pytest.raises(EngineError):
        watchful.submit(text(engine))
    engine.frozen = False
    assert watchful.wait_ready(10)
    assert (watchful.state, watchful.restarts, engine.starts) == (EngineState.WARM, 0, 1)


def test_engine_that_is_busy_for_long_stays_ready(watchful: EngineHost, engine: ScriptedEngine) -> None:
    """A step that takes far longer than a stall: no answer meanwhile, but its processor time goes on growing."""
    looks = times_grow(engine, used=1.0)
    engine.frozen = True
    until(lambda: looks() > 30)  # three quarters of a second of not answering
    assert (watchful.state, watchful.ready) == (EngineState.WARM, True)


def times_grow(engine: ScriptedEngine, *, used: float, waited: float = 0.0) -> Callable[[], int]:
    """Let the engine's processor times grow by so much at every look; the result says how often was looked."""
    looks = 0

    def times() -> ProcessorTimes:
        nonlocal looks
        looks += 1
        return ProcessorTimes(looks * used, looks * waited)

    engine.processor_times = times  # type: ignore[method-assign]
    return lambda: looks


def test_engine_that_hardly_gets_a_processor_is_neither_stalled_nor_restarted(engine: ScriptedEngine) -> None:
    """Other programs take the machine: it wants to work all the time, and hardly can."""
    host = EngineHost(engine, check_seconds=0.01, stall_seconds=0.1, stall_restart_seconds=0.2, answer_seconds=0.3)
    host.start()
    try:
        looks = times_grow(engine, used=0.0002, waited=1.0)
        engine.frozen = True
        until(lambda: looks() > 80)  # a second: five times the patience with an engine that is frozen
        assert (host.state, host.restarts) == (EngineState.WARM, 0)
    finally:
        engine.frozen = False
        host.stop()


def test_engine_that_works_for_ever_without_an_answer_is_restarted(engine: ScriptedEngine) -> None:
    host = EngineHost(engine, check_seconds=0.01, backoff_seconds=0.01, stall_seconds=0.1, answer_seconds=0.3)
    host.start()
    try:
        times_grow(engine, used=1.0)
        engine.frozen = True
        until(lambda: host.restarts == 1 and host.ready)
    finally:
        host.stop()


def test_engine_is_fitted_to_what_it_gets_and_the_share_is_known(engine: ScriptedEngine) -> None:
    fitted: list[int] = []

    async def fit(share: ProcessorShare) -> None:
        fitted.append(share.fitting_threads(2, 2))

    engine.fit = fit  # type: ignore[method-assign]
    host = EngineHost(engine, check_seconds=0.01, idle=lambda: 0.0)
    host.start()
    try:
        times_grow(engine, used=1.0, waited=3.0)
        until(lambda: host.processor.share == pytest.approx(0.25, abs=0.01))
        assert fitted[-1] == 1
    finally:
        host.stop()


def test_engine_that_stays_frozen_is_restarted(engine: ScriptedEngine) -> None:
    host = EngineHost(engine, check_seconds=0.01, backoff_seconds=0.01, stall_seconds=0.05, stall_restart_seconds=0.2)
    host.start()
    try:
        engine.frozen = True
        until(lambda: host.restarts == 1 and host.ready)
        assert engine.starts == 2
    finally:
        host.stop()


def test_every_change_of_state_wakes_whoever_reports_it(watchful: EngineHost, engine: ScriptedEngine) -> None:
    watchful.changed.clear()
    engine.frozen = True
    assert watchful.changed.wait(10)
    assert watchful.state == EngineState.STALLED

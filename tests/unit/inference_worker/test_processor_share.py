"""Patience that is counted in what the engine gets of a busy machine, and how many threads fit into that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from inference_worker.engine.processes import processor_times
from inference_worker.engine.processor_share import Patience, ProcessorShare, ProcessorTimes


@dataclass
class Machine:
    """A clock and what the engine used and waited for, moved by hand."""

    now: float = 0.0
    used: float = 0.0
    waited: float = 0.0
    idle: float = 0.0

    def pass_time(self, seconds: float, *, used: float = 0.0, waited: float = 0.0, idle: float = 0.0) -> None:
        """Shares are of the time that passes."""
        self.now += seconds
        self.used += used * seconds
        self.waited += waited * seconds
        self.idle += idle * seconds

    def times(self) -> ProcessorTimes:
        return ProcessorTimes(self.used, self.waited)

    def patience(self) -> Patience:
        return Patience(self.times, 0.5, clock=lambda: self.now)

    def share(self) -> ProcessorShare:
        return ProcessorShare(self.times, lambda: self.idle, clock=lambda: self.now)


def looks(machine: Machine, patience: Patience, count: int, **shares: float) -> tuple[float, float]:
    for _ in range(count):
        machine.pass_time(0.5, **shares)
        patience.look()
    return round(patience.still, 2), round(patience.answering, 2)


@pytest.mark.parametrize(
    ("shares", "still", "answering"),
    [
        ({}, 20.0, 20.0),  # frozen: it wants nothing and gets nothing
        ({"used": 1.0}, 0.0, 20.0),  # works on a quiet machine
        ({"used": 0.1, "waited": 0.9}, 0.05, 2.0),  # gets a tenth of what it wants
        ({"used": 0.001, "waited": 1.999}, 0.01, 0.01),  # hardly anything
        ({"used": 0.001}, 20.0, 20.0),  # an idle engine's bookkeeping is no work
    ],
)
def test_patience_counts_what_the_engine_could_have_done(
    shares: dict[str, float], still: float, answering: float
) -> None:
    machine = Machine()
    assert looks(machine, machine.patience(), 40, **shares) == (still, answering)


def test_a_look_that_comes_late_counts_no_more_than_one_in_time() -> None:
    machine = Machine()
    patience = machine.patience()
    machine.pass_time(300)
    patience.look()
    assert (patience.still, patience.answering) == (0.5, 0.5)


def test_slow_work_ends_the_stillness_once_it_adds_up() -> None:
    machine = Machine()
    patience = machine.patience()
    assert looks(machine, patience, 8, used=0.02, waited=0.02)[0] == 2.0
    assert looks(machine, patience, 4, used=0.02, waited=0.02)[0] < 1.0


def test_threads_that_end_take_their_seconds_with_them() -> None:
    assert ProcessorTimes(1.0, 2.0).since(ProcessorTimes(5.0, 1.5)) == ProcessorTimes(0.0, 0.5)


@pytest.mark.parametrize(
    ("threads", "most", "share", "idle", "fitting"),
    [
        (2, 2, 0.95, 0.1, 2),
        (2, 2, 0.8, 0.0, 2),  # the product's own other programs
        (2, 2, 0.54, 0.0, 1),  # beside one busy loop
        (2, 2, 0.4, 0.0, 1),  # beside two
        (1, 2, 1.0, 0.0, 1),  # the loop still runs on the other core
        (1, 2, 0.95, 0.9, 2),  # it has ended
        (7, 7, 0.5, 0.0, 4),
        (4, 7, 1.0, 4.0, 7),
        (1, 1, 0.1, 0.0, 1),
    ],
)
def test_as_many_threads_as_find_a_processor(threads: int, most: int, share: float, idle: float, fitting: int) -> None:
    machine = Machine()
    measured = machine.share()
    machine.pass_time(4, used=share, waited=1 - share, idle=idle)
    assert measured.look()
    assert measured.fitting_threads(threads, most) == fitting


def test_an_idle_engine_says_nothing_and_what_it_said_is_forgotten() -> None:
    machine = Machine()
    measured = machine.share()
    machine.pass_time(2, used=0.05, waited=0.3)
    assert (measured.look(), measured.share) == (False, None)
    machine.pass_time(2, used=0.5, waited=0.5)
    assert (measured.look(), measured.share) == (True, 0.5)
    machine.pass_time(61)
    assert measured.share is None


def test_a_new_engine_begins_anew() -> None:
    machine = Machine()
    measured = machine.share()
    machine.pass_time(2, used=0.1, waited=0.9)
    measured.look()
    measured.restart()
    assert (measured.share, measured.fitting_threads(2, 2)) == (None, 2)


@pytest.fixture
def loops() -> Iterator[list[psutil.Process]]:
    """Two busy loops on one processor."""
    one = {min(os.sched_getaffinity(0))}
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    for process in started:
        os.sched_setaffinity(process.pid, one)
    yield [psutil.Process(process.pid) for process in started]
    for process in started:
        process.kill()
        process.wait()


def test_waiting_for_a_processor_is_seen_and_a_stopped_process_waits_for_none(loops: list[psutil.Process]) -> None:
    deadline = time.monotonic() + 60
    while (times := processor_times(loops[:1])).used < 0.3 or times.waited < 0.1:
        assert time.monotonic() < deadline, times
    os.kill(loops[0].pid, signal.SIGSTOP)
    while loops[0].status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < deadline
    before = processor_times(loops[:1])
    other = processor_times(loops[1:]).used
    while processor_times(loops[1:]).used < other + 0.2:
        assert time.monotonic() < deadline
    assert processor_times(loops[:1]).since(before).wanted < 0.05


def test_processes_that_are_gone_count_nothing(loops: list[psutil.Process]) -> None:
    loops[0].kill()
    loops[0].wait()
    assert processor_times(loops[:1]) == ProcessorTimes(0.0)

"""How much of a busy machine the engine gets, and patience that is counted in what it gets.

A thread that is ready to run and has to wait for a processor is slow, not frozen: Linux counts that wait for each
thread (`/proc/PID/task/TID/schedstat`: nanoseconds on a processor, nanoseconds ready and waiting for one).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

# An idle engine uses less in a stall's length; one that works uses more, however slowly.
STILL_SECONDS = 0.1
# An idle engine's dozens of threads wake now and then, and wait longer than they run: only one that wants this much of a
# processor all the time says something of the machine.
LEAST_WANTED = 0.5
NEWEST_WEIGHT = 0.7
# A share older than this says nothing of now.
FORGET_SECONDS = 60.0
# Threads that wait for each other are only as fast as the one that has no processor: so many of them as get one.
ROUNDING = 0.6


@dataclass(frozen=True, slots=True)
class ProcessorTimes:
    """Seconds of all threads since they began: on a processor (`used`), and ready but waiting for one (`waited`)."""

    used: float
    waited: float = 0.0

    def since(self, before: ProcessorTimes) -> ProcessorTimes:
        """What was added; never negative, though threads end and take their seconds with them."""
        return ProcessorTimes(max(self.used - before.used, 0.0), max(self.waited - before.waited, 0.0))

    @property
    def wanted(self) -> float:
        """Seconds for which a processor was wanted."""
        return self.used + self.waited

    @property
    def share(self) -> float:
        """Of the processor time that was wanted, 0 to 1; 1 when none was."""
        return self.used / self.wanted if self.wanted else 1.0


@dataclass(slots=True)
class Patience:
    """How long an engine has been silent, in seconds in which it could have worked.

    `answering` counts since the question was asked, `still` since the engine was last seen to do anything. A second in
    which the engine got a tenth of the processor time that it wanted counts as a tenth of a second. So does at most
    `interval` for one look: a look that comes late was kept waiting by the machine, too.
    """

    times: Callable[[], ProcessorTimes]
    interval: float
    clock: Callable[[], float] = time.monotonic
    answering: float = 0.0
    still: float = 0.0
    _seen: ProcessorTimes = ProcessorTimes(0.0)
    _at: float = 0.0
    _used: float = 0.0

    def __post_init__(self) -> None:
        self._seen, self._at = self.times(), self.clock()

    def look(self) -> None:
        """Count the time since the last look."""
        seen, now = self.times(), self.clock()
        added, passed = seen.since(self._seen), min(now - self._at, self.interval)
        self._seen, self._at = seen, now
        could_work = passed * added.share
        self.answering += could_work
        self._used += added.used
        if self._used > STILL_SECONDS:
            self._used = self.still = 0.0
        else:
            self.still += could_work


@dataclass(slots=True)
class ProcessorShare:
    """The share of late, and how many threads fit into it. `times` and `idle` (seconds that the machine's processors had
    nothing to do) only grow."""

    times: Callable[[], ProcessorTimes]
    idle: Callable[[], float]
    clock: Callable[[], float] = time.monotonic
    _share: float = 1.0
    _idle_cores: float = 0.0
    _measured_at: float = -math.inf
    _seen: ProcessorTimes = ProcessorTimes(0.0)
    _idle_seen: float = 0.0
    _at: float = 0.0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget: the engine's processes are others."""
        self._share, self._measured_at = 1.0, -math.inf
        self._seen, self._idle_seen, self._at = self.times(), self.idle(), self.clock()

    def look(self) -> bool:
        """Take the time since the last look into account; False when the engine wanted too little to tell."""
        seen, idle, now = self.times(), self.idle(), self.clock()
        added, passed = seen.since(self._seen), now - self._at
        idle_cores = max(idle - self._idle_seen, 0.0) / max(passed, 1e-9)
        self._seen, self._idle_seen, self._at = seen, idle, now
        if added.wanted < LEAST_WANTED * passed:
            return False
        known = self._share if self.is_known else added.share
        self._share = known + NEWEST_WEIGHT * (added.share - known)
        self._idle_cores, self._measured_at = idle_cores, now
        return True

    @property
    def is_known(self) -> bool:
        """Whether the engine has worked lately."""
        return self.clock() - self._measured_at <= FORGET_SECONDS

    @property
    def share(self) -> float | None:
        """Of the processor time that the engine wanted lately, 0 to 1; None when it has not worked."""
        return self._share if self.is_known else None

    def fitting_threads(self, threads: int, most: int) -> int:
        """How many of the engine's threads would each find a processor, when it computes with `threads` now."""
        return max(1, min(most, math.floor(threads * self._share + self._idle_cores + ROUNDING)))

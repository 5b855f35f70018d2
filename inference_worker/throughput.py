"""How fast a worker writes replies."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

NEWEST_WEIGHT = 0.15


@dataclass(slots=True)
class Throughput:
    """Seconds of the worker that one reply takes: its share of each second in which others were written as well.

    One that takes two seconds alone takes about twenty beside nine others, and two seconds of the worker both times. So
    what was measured in a quiet hour says how long a sudden queue lasts. A moving mean: the throughput of the last dozen replies
    counts, not that of this morning. Not safe for threads by itself.
    """

    seconds_per_reply: float | None = None
    clock: Callable[[], float] = time.monotonic
    _writing: int = 0
    # What a reply that had been written from the beginning would have got of the worker.
    _shared: float = 0.0
    _at: float = 0.0

    def begin(self) -> float:
        """Count one more; returns what `end` wants to know."""
        self._move()
        self._writing += 1
        return self._shared

    def end(self, begun: float, *, is_measured: bool = True) -> None:
        """Count one less, and what it took."""
        self._move()
        self._writing -= 1
        if is_measured:
            seconds = self._shared - begun
            mean = seconds if self.seconds_per_reply is None else self.seconds_per_reply
            self.seconds_per_reply = mean + NEWEST_WEIGHT * (seconds - mean)

    def _move(self) -> None:
        now = self.clock()
        if self._writing:
            self._shared += (now - self._at) / self._writing
        self._at = now

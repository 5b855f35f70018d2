"""How fast this worker's reranker has been of late: how much it can read in a given time."""

from __future__ import annotations

import threading
from collections.abc import Sequence

# The weight of the latest call: a machine that becomes busy is noticed within a few answers.
LATEST = 0.3


class Pace:
    """Milliseconds for a token, waiting included, as a moving average. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ms_per_token: float | None = None

    def observe(self, *, tokens: int, ms: float) -> None:
        """Take one call into account."""
        if tokens <= 0:
            return
        latest = ms / tokens
        with self._lock:
            known = self._ms_per_token
            self._ms_per_token = latest if known is None else LATEST * latest + (1 - LATEST) * known

    def fitting(self, tokens: Sequence[int], *, ms: float, least: int) -> int:
        """How many of the texts with so many tokens can be read in `ms`, in their order: at least `least`, all when unknown."""
        with self._lock:
            pace = self._ms_per_token
        if pace is None:
            return len(tokens)
        total, count = 0.0, 0
        for each in tokens:
            total += pace * each
            if total > ms and count >= least:
                break
            count += 1
        return count

"""A stopwatch for the named steps of one answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """Start counts from the claim; both in milliseconds."""

    name: str
    start_ms: float
    duration_ms: float


@dataclass(slots=True)
class StepClock:
    """Collects steps; `mark` and `lap` cover spans that no block encloses."""

    begun: float = field(default_factory=time.perf_counter)
    steps: list[Step] = field(default_factory=list)

    def now_ms(self) -> float:
        """Milliseconds since the claim."""
        return (time.perf_counter() - self.begun) * 1000

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a block, also when it raises."""
        start = self.now_ms()
        try:
            yield
        finally:
            self.add(name, start)

    def add(self, name: str, start_ms: float, end_ms: float | None = None) -> None:
        """Record a span from `start_ms` to `end_ms` (now)."""
        end = self.now_ms() if end_ms is None else end_ms
        self.steps.append(Step(name, round(start_ms, 3), round(max(end - start_ms, 0.0), 3)))

    def duration_of(self, name: str) -> float:
        """Total milliseconds of the steps of that name."""
        return sum(step.duration_ms for step in self.steps if step.name == name)

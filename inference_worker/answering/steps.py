"""What the stages of one answer leave in its trace beside their results: how long each step took, and what was noted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tracing.content import StageRecord, StepRecord


@dataclass(slots=True)
class Steps:
    """Collects the records of one answer's steps. Times are milliseconds since the claim."""

    begun: float = field(default_factory=time.perf_counter)
    records: list[StepRecord] = field(default_factory=list)
    notes: list[StageRecord] = field(default_factory=list)

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
        self.records.append(StepRecord(name, round(start_ms, 3), round(max(end - start_ms, 0.0), 3)))

    def note(self, stage: str, verdict: str, **figures: float) -> None:
        """Record what a stage found, in a fixed word and figures: nothing that anybody wrote."""
        self.notes.append(StageRecord(stage, verdict, figures))

    def duration_of(self, name: str) -> float:
        """Total milliseconds of the steps of that name."""
        return sum(step.duration_ms for step in self.records if step.name == name)

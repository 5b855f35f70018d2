"""What a worker's start spent its seconds on, step by step, readable while it loads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step of loading; `seconds` is None while it lasts."""

    name: str
    seconds: float | None


class LoadLog:
    """Named steps in order. A step that is repeated after a restart replaces the earlier one. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[str, float | None] = {}
        self._begun: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a block; one that raises stays unfinished, so that a person sees where loading ended."""
        begun = time.monotonic()
        with self._lock:
            self._steps.pop(name, None)
            self._steps[name] = None
            self._begun[name] = begun
        yield
        self.add(name, time.monotonic() - begun)

    def add(self, name: str, seconds: float) -> None:
        """Note a step that has been timed elsewhere."""
        with self._lock:
            self._begun.pop(name, None)
            self._steps[name] = round(max(seconds, 0.0), 3)

    def split(self, name: str, parts: dict[str, float]) -> None:
        """Put what a step turned out to consist of in its place."""
        with self._lock:
            self._steps.pop(name, None)
            for part, seconds in parts.items():
                self._steps.pop(part, None)
                self._steps[part] = round(max(seconds, 0.0), 3)

    def steps(self) -> tuple[Step, ...]:
        """The steps so far."""
        with self._lock:
            return tuple(Step(name, seconds) for name, seconds in self._steps.items())

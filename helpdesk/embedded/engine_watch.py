"""Says at the terminal what an inference worker does by itself: its engine died, froze or was started again, it has articles
to index, or the machine leaves it too little time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import redis

from helpdesk.workers import WorkerState, WorkerStatus, read_workers

LOOK_SECONDS = 2.0


def sentence(before: WorkerStatus | None, now: WorkerStatus) -> str | None:
    """What somebody at the terminal should read of the change from one report to the next."""
    who = f"inference worker of {now.alias}" if now.alias else "inference worker"
    if before is not None and now.restarts > before.restarts:
        return f"The {who} has started its engine again (restart {now.restarts}); it is warm."
    if before is not None and before.state == WorkerState.LOADING and now.ready:
        return f"The {who} is warm."
    if before is None:
        return None
    if now.state == before.state:
        return _of_load(who, before, now)
    return _of_states(who, before.state, now.state)


def _of_states(who: str, before: WorkerState, now: WorkerState) -> str | None:
    return {
        (WorkerState.WARM, WorkerState.RESTARTING): f"The engine of the {who} died; the worker is starting it again.",
        (
            WorkerState.STALLED,
            WorkerState.RESTARTING,
        ): f"The engine of the {who} stays silent; the worker is starting it again.",
        (
            WorkerState.WARM,
            WorkerState.STALLED,
        ): f"The engine of the {who} does not answer; nothing is sent to it meanwhile.",
        (WorkerState.STALLED, WorkerState.WARM): f"The engine of the {who} answers again.",
        (WorkerState.RESTARTING, WorkerState.WARM): f"The engine of the {who} answers again.",
    }.get((before, now))


def _of_load(who: str, before: WorkerStatus, now: WorkerStatus) -> str | None:
    if now.is_starved and not before.is_starved:
        return (
            f"The machine is busy: other programs leave the engine of the {who} {now.processor_share or 0:.0%} of the "
            "processor time that it wants. Answers take longer."
        )
    if now.indexing and not before.indexing:
        return f"{now.indexing} articles are being indexed; until then they are found by their words."
    if before.indexing and not now.indexing:
        return "All articles are indexed."
    return None


@dataclass(slots=True)
class EngineWatch:
    """Looks at the register every few seconds, from the thread that supervises the programs."""

    connection: redis.Redis
    say: Callable[[str], None]
    _last: dict[str, WorkerStatus] = field(default_factory=dict)
    _next_look: float = 0.0

    def look(self) -> None:
        """Report what has changed; while Redis is away nothing is known."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_SECONDS
        try:
            workers = read_workers(self.connection)
        except (redis.RedisError, json.JSONDecodeError):
            return
        known = {worker.name: _with_share(worker, self._last.get(worker.name)) for worker in workers}
        for name, worker in known.items():
            if line := sentence(self._last.get(name), worker):
                self.say(line)
        self._last = known


def _with_share(now: WorkerStatus, before: WorkerStatus | None) -> WorkerStatus:
    """An engine that had nothing to do says nothing of the machine: what was said of it last still holds."""
    if before is None or now.processor_share is not None:
        return now
    return replace(now, processor_share=before.processor_share)

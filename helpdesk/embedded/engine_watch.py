"""Says at the terminal what an inference worker does by itself: its engine died, froze or was started again, it has articles
to index, or the machine leaves it too little time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import redis

from helpdesk.queue.workers import WorkerState, WorkerStatus, read_workers

LOOK_SECONDS = 2.0
# From this share on a machine that was called busy is calm again.
CALM_SHARE = 0.65
# A worker that has no article left may get more with the next sweep.
SETTLED_SECONDS = 60.0


def sentence(before: WorkerStatus | None, now: WorkerStatus) -> str | None:
    """What somebody at the terminal should read of the change from one report to the next."""
    who = _title(now)
    if before is not None and now.restarts > before.restarts:
        return f"The {who} has started its engine again (restart {now.restarts}); it is warm."
    if before is not None and before.state == WorkerState.LOADING and now.ready:
        return f"The {who} is warm."
    if before is None or now.state == before.state:
        return None
    return {
        (WorkerState.WARM, WorkerState.RESTARTING): f"The engine of the {who} died; the worker is starting it again.",
        (
            WorkerState.STALLED,
            WorkerState.RESTARTING,
        ): f"The engine of the {who} stays silent; the worker is starting it again.",
        (
            WorkerState.WARM,
            WorkerState.STALLED,
        ): f"The engine of the {who} does not answer; nothing is sent to it until it does.",
        (WorkerState.STALLED, WorkerState.WARM): f"The engine of the {who} answers again.",
        (WorkerState.RESTARTING, WorkerState.WARM): f"The engine of the {who} answers again.",
    }.get((before.state, now.state))


@dataclass(slots=True)
class EngineWatch:
    """Looks at the register every few seconds, from the thread that supervises the programs."""

    connection: redis.Redis
    say: Callable[[str], None]
    _last: dict[str, WorkerStatus] = field(default_factory=dict)
    # Workers whose machine was said to be busy, and whose articles were said to be indexed.
    _busy: set[str] = field(default_factory=set)
    _indexing: set[str] = field(default_factory=set)
    _indexed_at: dict[str, float] = field(default_factory=dict)
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
        for worker in workers:
            if line := sentence(self._last.get(worker.name), worker):
                self.say(line)
            self._look_at_load(worker)
            self._look_at_index(worker)
        self._last = {worker.name: worker for worker in workers}

    def _look_at_load(self, worker: WorkerStatus) -> None:
        """Once until the machine was calm. An engine that had nothing to do says nothing of the machine."""
        share = worker.processor_share
        if worker.is_starved and worker.name not in self._busy:
            self._busy.add(worker.name)
            self.say(
                f"The machine is busy: other work leaves the engine of the {_title(worker)} {share or 0:.0%} of the "
                "processor time that it wants. Answers take longer."
            )
        elif share is not None and share >= CALM_SHARE:
            self._busy.discard(worker.name)

    def _look_at_index(self, worker: WorkerStatus) -> None:
        if worker.indexing and worker.name not in self._indexing:
            self._indexing.add(worker.name)
            self.say("Articles are being indexed; until then they are found by their words.")
        elif worker.indexing:
            self._indexed_at.pop(worker.name, None)
        elif worker.ready and worker.name in self._indexing:
            since = self._indexed_at.setdefault(worker.name, time.monotonic())
            if time.monotonic() - since >= SETTLED_SECONDS:
                del self._indexed_at[worker.name]
                self._indexing.discard(worker.name)
                self.say("All articles are indexed.")


def _title(worker: WorkerStatus) -> str:
    return f"inference worker of {worker.alias}" if worker.alias else "inference worker"

"""The queue of replies that wait for an inference worker: how long it is, who waits in it, and how fast it moves.

It is Celery's own, one Redis list for each priority step; lengths and ids cross no tenant's boundary.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from kombu.transport.redis import Channel

from helpdesk.queue.celery import (
    FIRST_OVER_SHARE,
    INFERENCE_QUEUE,
    KEY_PREFIX,
    STEP_BACKGROUND,
    STEP_OF_PRIORITY,
    step_of_priority,
)
from helpdesk.queue.workers import read_heartbeats
from helpdesk.streams.writer import client

REPLY_HEADER = "reply"
# How kombu names the list of a step: https://docs.celeryq.dev/en/stable/userguide/routing.html#redis-message-priorities
SEPARATOR: str = Channel.sep
_STEPS = [step for step in STEP_OF_PRIORITY.values() if step != STEP_BACKGROUND]


def list_key(step: int, queue: str = INFERENCE_QUEUE) -> str:
    """The Redis list of a queue's tasks of that priority."""
    return KEY_PREFIX + (f"{queue}{SEPARATOR}{step}" if step else queue)


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """The queue at one moment: waiting replies of all models by priority step, and what the workers said last.

    Reading it asks Redis; looking at it asks nobody.
    """

    lengths: Mapping[int, int]
    heartbeats: Sequence[Mapping[str, Any]]

    def ahead_of(self, priority: int) -> int:
        """How many of the waiting replies are fetched before one of this priority that joins now."""
        return sum(length for step, length in self.lengths.items() if step <= step_of_priority(priority))

    def seconds_until_fetched(self, priority: int) -> float | None:
        """When a worker fetches a reply of this priority that joins now: 0 when one has a slot to spare.

        By what the workers report of their last answers (`seconds_per_reply`: seconds of the worker for one reply, whatever
        was written beside it); None when none has reported any, or nothing is known of the queue.
        """
        if not self.lengths:
            return None
        ahead = self.ahead_of(priority)
        workers = [(status, _slots(status, priority)) for status in self.heartbeats if status["ready"]]
        if not ahead and any(status["writing"] < slots for status, slots in workers):
            return 0.0
        replies_per_second = sum(
            1 / status["seconds_per_reply"] for status, _ in workers if status.get("seconds_per_reply")
        )
        return (ahead + 1) / replies_per_second if replies_per_second else None


UNKNOWN_QUEUE = QueueSnapshot(lengths={}, heartbeats=())


def read_queue() -> QueueSnapshot:
    """The queue as it is now. Raises redis.RedisError."""
    heartbeats = read_heartbeats()
    queues = _reply_queues(heartbeats)
    with client().pipeline(transaction=False) as pipeline:
        for step in _STEPS:
            for queue in queues:
                pipeline.llen(list_key(step, queue))
        found = cast("list[int]", pipeline.execute())
    lengths = {step: sum(found[at * len(queues) : (at + 1) * len(queues)]) for at, step in enumerate(_STEPS)}
    return QueueSnapshot(lengths, heartbeats)


def queued_reply_ids() -> set[str]:
    """The ids of the replies whose tasks wait. Raises redis.RedisError."""
    queues = _reply_queues(read_heartbeats())
    with client().pipeline(transaction=False) as pipeline:
        for queue in queues:
            for step in _STEPS:
                pipeline.lrange(list_key(step, queue), 0, -1)
        tasks = [task for tasks in cast("list[list[bytes]]", pipeline.execute()) for task in tasks]
    headers: list[dict[str, Any]] = [json.loads(task)["headers"] for task in tasks]
    return {str(header[REPLY_HEADER]) for header in headers if REPLY_HEADER in header}


def _reply_queues(heartbeats: Iterable[Mapping[str, Any]]) -> list[str]:
    """The first model's queue and those of further models that workers serve."""
    return sorted({INFERENCE_QUEUE, *(str(status.get("queue") or INFERENCE_QUEUE) for status in heartbeats)})


def _slots(status: Mapping[str, Any], priority: int) -> int:
    """How many replies the worker writes before it leaves one of this priority in the queue."""
    reserved = status.get("reserved", 0) if priority >= FIRST_OVER_SHARE else 0
    return int(status.get("capacity", 0) - reserved)

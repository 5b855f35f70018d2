"""What ends an answer before it is stored: each of these leaves nothing behind, and whoever holds the reply sees to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from inference_worker.answering.stopping import StopSignal


class AnswerEnded(Exception):
    """The answer ends here, and nothing of it is stored."""


class Stopped(AnswerEnded):
    """The customer or a person stopped the reply before anything was written."""


class DeadlinePassed(AnswerEnded):
    """The reply's time was up before the answer was complete."""


class WorkerStopping(AnswerEnded):
    """The worker shuts down; the reply has been given back to the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Whether anybody still waits for the answer, and whether this worker may still write it."""

    stop: StopSignal
    deadline_at: datetime
    is_stopping: Callable[[], bool]

    def check(self) -> None:
        """Between stages. Raises Stopped or DeadlinePassed."""
        if self.stop.is_set:
            raise Stopped
        if timezone.now() > self.deadline_at:
            raise DeadlinePassed

    def check_while_writing(self) -> None:
        """Between pieces of a text; what was written of it is kept when it is stopped. Raises WorkerStopping or
        DeadlinePassed."""
        if self.is_stopping():
            raise WorkerStopping
        if timezone.now() > self.deadline_at:
            raise DeadlinePassed

"""Whose work an analysis is: of a worker that serves the model that wrote the answer, or the one that somebody chose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis
import structlog

from helpdesk.queue.celery import inference_queue
from helpdesk.queue.workers import WorkerState, WorkerStatus, read_workers
from tracing.models import AnalysisJob, Trace

logger = structlog.get_logger(__name__)

# The parameter of a job that names another model than the one that wrote the answer.
MODEL = "model"


@dataclass(frozen=True, slots=True)
class Served:
    """A model in a worker. Its name is the alias by which assistants choose it, or the model's own for the desk's first."""

    name: str
    model: str
    quantization: str

    def fits(self, job: AnalysisJob) -> bool:
        """Whether this model can do the job. When nothing was generated every one can say so."""
        if chosen := job.parameters.get(MODEL):
            return bool(chosen == self.name)
        return not job.trace.model or self.wrote(job.trace)

    def wrote(self, trace: Trace) -> bool:
        """Whether it is the model that wrote the answer; another precision is another model."""
        return (self.model, self.quantization) == (trace.model, trace.quantization)


@dataclass(frozen=True, slots=True)
class Unserved:
    """Workers are there, but none for this job, and none that may still turn out to be one."""


def queue_of(job: AnalysisJob, workers: Iterable[WorkerStatus]) -> str | Unserved | None:
    """The queue whose workers can do the job; None while nobody can know, since a worker is loading or none is there."""
    present = [worker for worker in workers if worker.is_present]
    able = [worker for worker in present if _served(worker).fits(job)]
    if able:
        return inference_queue(min(able, key=lambda worker: (not worker.ready, worker.alias)).alias)
    if not present or any(worker.state == WorkerState.LOADING for worker in present):
        return None
    return Unserved()


def known_workers() -> list[WorkerStatus]:
    """The register of workers; none while it cannot be read."""
    try:
        return read_workers()
    except redis.RedisError as error:
        logger.warning("served_models_unknown", error=type(error).__name__)
        return []


def replay_parameters(*, without: list[str], is_free: bool, model: str = "") -> dict[str, Any]:
    """The parameters of a replay: passages to leave out, whether a restriction is lifted, and another model if one is chosen."""
    return {"without": without, "is_free": is_free, **({MODEL: model} if model else {})}


def other_models(trace: Trace) -> list[str]:
    """The names of the models to which the recorded request can be put instead of the one that wrote the answer."""
    served = [_served(worker) for worker in known_workers() if worker.ready]
    return list(dict.fromkeys(each.name for each in served if not each.wrote(trace)))


def _served(worker: WorkerStatus) -> Served:
    return Served(worker.alias or worker.model, worker.model, worker.quantization)

"""The inference worker: `celery -A inference_worker.worker worker --pool threads -Q inference`.

A Celery bootstep loads the models between the pool and the consumer, so that no task is fetched before they are warm.
"""

from __future__ import annotations

from typing import Any

import django
import structlog
from celery import bootsteps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from helpdesk.queue.broker import reserve
from helpdesk.queue.celery import app, first_steps, inference_queue

django.setup()

# Where the command line says nothing of threads.
app.conf.worker_concurrency = settings.INFERENCE_THREADS

logger = structlog.get_logger(__name__)

DRAIN_SECONDS = 6.0


def check_queue(consumed: set[str]) -> None:
    """Refuse a worker that would register a model under a name whose replies it does not fetch."""
    queue = inference_queue(settings.MODEL_NAME)
    if queue not in consumed:
        raise ImproperlyConfigured(
            f"This worker serves {settings.MODEL_NAME or 'the first model'} but does not consume the queue {queue}: "
            f"start it with --queues {queue}, or set GLASSDESK_MODEL_NAME."
        )


def reserved_for_first_steps(threads: int) -> int:
    """How many of a worker's threads no over-share reply gets, so that a fifth of the engine's sequences is free for others."""
    shared = settings.ENGINE_MAX_SEQUENCES - settings.ENGINE_MAX_SEQUENCES // 5
    return min(max(threads - shared, 1), threads - 1)


class EngineStep(bootsteps.StartStopStep):
    """Holds the engine for the life of the worker."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        pool = worker.pool_cls if isinstance(worker.pool_cls, str) else worker.pool_cls.__module__
        if "thread" not in pool:
            raise ImproperlyConfigured(
                "The inference worker must run with --pool threads: the engine starts child processes, which the "
                "prefork pool's daemonic processes may not, and only threads can share one engine's batches."
            )

    def start(self, worker: Any) -> None:
        from inference_worker.loading import load_runtime
        from inference_worker.metrics import serve_own_metrics
        from inference_worker.registration import Registration
        from inference_worker.runtime import install

        check_queue(set(worker.app.amqp.queues.consume_from))
        serve_own_metrics()
        registration = Registration()
        registration.begin_loading()
        try:
            runtime = load_runtime(registration)
        except BaseException:
            registration.end_loading(failed=True)
            raise
        registration.end_loading()
        runtime.capacity, runtime.reserved = worker.concurrency, reserved_for_first_steps(worker.concurrency)
        reserve(runtime.reserved, first_steps=first_steps())
        install(runtime)
        runtime.report()
        runtime.begin_heartbeat()

    def stop(self, worker: Any) -> None:
        from inference_worker import runtime as holder

        runtime = holder.runtime()
        runtime.drain(seconds=DRAIN_SECONDS)
        runtime.stop()
        holder.install(None)

    def terminate(self, worker: Any) -> None:
        self.stop(worker)


app.steps["worker"].add(EngineStep)

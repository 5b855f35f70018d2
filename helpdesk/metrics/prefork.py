"""Metrics of a Celery worker whose tasks run in several processes: each writes its counts to files, which are added up.

Used where PROMETHEUS_MULTIPROC_DIR names the folder, which `prometheus_client` reads when it is imported.
"""

from __future__ import annotations

import os
from typing import Any

from celery.signals import worker_process_shutdown, worker_ready
from django.conf import settings
from prometheus_client import CollectorRegistry, multiprocess

from helpdesk.metrics.serving import serve_metrics


def connect() -> None:
    """Serve when the worker's processes are up, if they share their counts at all."""
    if settings.METRICS_PORT and "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        worker_ready.connect(serve)
        worker_process_shutdown.connect(forget)


def serve(**_: Any) -> None:
    """Serve the sum of all processes."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    serve_metrics(registry)


def forget(pid: int, **_: Any) -> None:
    """A process that ended keeps its counts and loses its gauges."""
    multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]

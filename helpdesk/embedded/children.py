"""The programs that make up a running desk: their command lines, environments and logs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CELERY = ("-m", "celery", "--app")
PRIVATE = ("DATABASE_OWNER_URL",)


@dataclass(frozen=True, slots=True)
class Child:
    """A program to keep running. `title` is what a person reads."""

    title: str
    arguments: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    cwd: Path


def children(
    *,
    env: Mapping[str, str],
    project: Path,
    data: Path,
    host: str,
    port: int,
    inference_threads: int,
    models: Mapping[str, str] | None = None,
    metrics_ports: Mapping[str, int] | None = None,
) -> list[Child]:
    """In the order in which they are started; the slowest comes first.

    `models` are those that further workers serve, by name; `metrics_ports` say where a worker serves its metrics.
    """
    ports = metrics_ports or {}

    def python(title: str, name: str, *arguments: str, extra: Mapping[str, str] | None = None) -> Child:
        log = data / "logs" / f"{name}.log"
        metrics = {"GLASSDESK_METRICS_PORT": str(ports.get(name, 0))}
        return Child(title, (sys.executable, *arguments), {**env, **metrics, **(extra or {})}, log, project)

    worker = ("worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle", "--hostname")
    threads = ("--pool", "threads", "--concurrency", str(inference_threads))
    prefork = ("--pool", "prefork", "--concurrency", "2")

    def inference(name: str, queue: str) -> tuple[str, ...]:
        return ("inference_worker.worker", *worker, f"{name}@%h", "--queues", queue, *threads)

    default = ("helpdesk.queue.celery:app", *worker, "default@%h", "--queues", "default", *prefork)
    beat = (
        "helpdesk.queue.celery:app",
        "beat",
        "--loglevel",
        "WARNING",
        "--schedule",
        str(data / "beat-schedule"),
        "--pidfile=",
    )
    first = {"GLASSDESK_MODEL_NAME": ""}
    omp = {"OMP_NUM_THREADS": env.get("OMP_NUM_THREADS") or str(engine_threads(os.cpu_count() or 1))}
    further = [
        python(
            f"inference worker of {alias}",
            f"inference-{alias}",
            *CELERY,
            *inference(f"inference-{alias}", f"inference.{alias}"),
            extra={**omp, "GLASSDESK_MODEL_NAME": alias, "GLASSDESK_CHAT_MODEL": location},
        )
        for alias, location in (models or {}).items()
    ]
    multiprocess = {"PROMETHEUS_MULTIPROC_DIR": str(data / "metrics-default")} if "default" in ports else {}
    return [
        python("inference worker", "inference", *CELERY, *inference("inference", "inference"), extra=omp | first),
        *further,
        python("default worker", "default", *CELERY, *default, extra=multiprocess),
        python("beat", "beat", *CELERY, *beat),
        # No access log: addresses hold the tokens of visitors.
        python(
            "web server", "web", "-m", "daphne", "-v", "0", "-b", host, "-p", str(port), "helpdesk.asgi:application"
        ),
    ]


def engine_threads(cores: int) -> int:
    """All cores but one, which web server and databases need; of two cores both, which is faster even so."""
    return max(cores - 1, min(cores, 2))


def child_environment(base: Mapping[str, str], stack: Mapping[str, str]) -> dict[str, str]:
    """What the programs get to see: never the database owner's password."""
    return {name: value for name, value in base.items() if name not in PRIVATE} | dict(stack)

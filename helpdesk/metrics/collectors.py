"""What the web process finds out at the moment of a scrape: queues, workers, and whether the databases answer.

Nothing here reads a tenant's row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import cast

import redis
from django.db import DatabaseError, connection
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from helpdesk.queue.celery import DEFAULT_QUEUE, STEP_OF_PRIORITY, inference_queue
from helpdesk.queue.lengths import list_key
from helpdesk.queue.workers import WorkerStatus, read_workers, served_models
from helpdesk.streams.hub import followed_conversations
from helpdesk.streams.writer import client


def _families() -> dict[str, GaugeMetricFamily]:
    return {
        "up": GaugeMetricFamily("glassdesk_component_up", "Whether the component answers.", labels=["component"]),
        "depth": GaugeMetricFamily(
            "glassdesk_queue_depth", "Tasks that wait in the broker.", labels=["queue", "priority"]
        ),
        "workers": GaugeMetricFamily("glassdesk_workers", "Inference workers.", labels=["alias", "state"]),
        "warm": GaugeMetricFamily(
            "glassdesk_model_warm", "Whether a worker is warm that serves the model.", labels=["alias"]
        ),
        "active": GaugeMetricFamily(
            "glassdesk_active_conversations", "Conversations that at least one socket of this process follows."
        ),
    }


def alias_label(alias: str) -> str:
    """The first model has no name of its own."""
    return alias or "default"


def queue_depths(queues: Iterable[str]) -> dict[tuple[str, int], int]:
    """Waiting tasks by queue and priority step. Raises redis.RedisError."""
    wanted = [(queue, step) for queue in queues for step in STEP_OF_PRIORITY.values()]
    with client().pipeline(transaction=False) as pipeline:
        for queue, step in wanted:
            pipeline.llen(list_key(step, queue))
        return dict(zip(wanted, cast("list[int]", pipeline.execute()), strict=True))


class DeskCollector(Collector):
    """Asked anew at each scrape."""

    def describe(self) -> Iterable[Metric]:
        """The names, without asking anybody."""
        return _families().values()

    def collect(self) -> Iterator[Metric]:
        """The values; what cannot be asked is left out, and `glassdesk_component_up` says so."""
        families = _families()
        families["up"].add_metric(["database"], float(_database_answers()))
        families["active"].add_metric([], followed_conversations())
        try:
            workers = read_workers()
            depths = queue_depths([DEFAULT_QUEUE, *sorted({inference_queue(), *(each.queue for each in workers)})])
        except (redis.RedisError, json.JSONDecodeError):
            families["up"].add_metric(["redis"], 0.0)
            workers, depths = [], {}
        else:
            families["up"].add_metric(["redis"], 1.0)
        for (queue, step), depth in depths.items():
            families["depth"].add_metric([queue, str(step)], depth)
        _add_workers(families, workers)
        yield from families.values()


def _add_workers(families: dict[str, GaugeMetricFamily], workers: list[WorkerStatus]) -> None:
    for (alias, state), count in Counter((worker.alias, worker.state) for worker in workers).items():
        families["workers"].add_metric([alias_label(alias), state.value], count)
    # With the models whose workers are lost: their absence must not look like nothing to report.
    warm = dict.fromkeys(["", *(worker.alias for worker in workers)], False)
    warm |= {served.alias: served.is_warm for served in served_models(workers)}
    for alias, is_warm in warm.items():
        families["warm"].add_metric([alias_label(alias)], float(is_warm))


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True

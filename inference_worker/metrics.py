"""What an inference worker measures of its engine, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import REGISTRY, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from helpdesk.metrics.serving import serve_metrics
from helpdesk.queue.workers import WorkerState
from inference_worker import runtime as holder
from inference_worker.engine.contract import EngineError


class EngineCollector(Collector):
    """The engine at the moment of a scrape; nothing while it is being loaded for the first time."""

    def describe(self) -> Iterable[Metric]:
        """The names, without asking anybody."""
        return _families().values()

    def collect(self) -> Iterator[Metric]:
        """What is reported to the register, as figures."""
        families = _families()
        try:
            status = holder.runtime().status()
        except (RuntimeError, EngineError):
            return
        families["up"].add_metric([], float(status.state == WorkerState.WARM))
        families["running"].add_metric([], status.running)
        families["waiting"].add_metric([], status.waiting)
        families["writing"].add_metric([], status.writing)
        families["restarts"].add_metric([], status.restarts)
        families["kv_share"].add_metric([], status.kv_cache_share)
        families["kv_bytes"].add_metric([], status.kv_cache_bytes)
        families["memory"].add_metric(["processes"], status.memory_bytes)
        families["memory"].add_metric(["weights_on_disk"], status.weights_bytes)
        families["indexing"].add_metric([], status.indexing)
        if status.processor_share is not None:
            families["processor"].add_metric([], status.processor_share)
        if status.gpu_memory_bytes is not None:
            families["memory"].add_metric(["gpu"], status.gpu_memory_bytes)
        yield from families.values()


def serve_own_metrics() -> None:
    """Serve this worker's figures where the settings say."""
    serve_metrics(REGISTRY)


def _families() -> dict[str, GaugeMetricFamily | CounterMetricFamily]:
    return {
        "up": GaugeMetricFamily("glassdesk_engine_warm", "Whether the engine takes requests now."),
        "running": GaugeMetricFamily("glassdesk_engine_running_requests", "Requests in the engine's batch."),
        "waiting": GaugeMetricFamily("glassdesk_engine_waiting_requests", "Requests that wait for the engine's batch."),
        "writing": GaugeMetricFamily("glassdesk_replies_being_written", "Replies that this worker holds."),
        "restarts": CounterMetricFamily("glassdesk_engine_restarts", "Engines that died and were started again."),
        "kv_share": GaugeMetricFamily("glassdesk_kv_cache_used_ratio", "Share of the key-value cache in use, 0 to 1."),
        "kv_bytes": GaugeMetricFamily("glassdesk_kv_cache_bytes", "Size of the key-value cache."),
        "processor": GaugeMetricFamily(
            "glassdesk_engine_processor_ratio", "Share of the processor time that the engine wanted, 0 to 1."
        ),
        "indexing": GaugeMetricFamily("glassdesk_articles_being_indexed", "Articles that wait for their vectors."),
        "memory": GaugeMetricFamily(
            "glassdesk_memory_bytes",
            "Memory of the worker with its engine's processes, and of the GPU.",
            labels=["part"],
        ),
    }


REGISTRY.register(EngineCollector())

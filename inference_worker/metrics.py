"""What the inference worker measures of its answers and its engine, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils import timezone
from prometheus_client import REGISTRY, Counter, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from conversations.models import Outcome
from helpdesk.metrics.serving import serve_metrics
from helpdesk.queue.workers import WorkerState
from inference_worker import runtime as holder
from inference_worker.answering.recording import Work, outcome_of, waited_ms
from inference_worker.engine.contract import EngineError

# From a GPU's milliseconds to what a loaded CPU and a long queue take.
WAITING = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 13, 20, 30, 60, 120)
BETWEEN_TOKENS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2, 5)
TOKENS = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)

QUEUE_SECONDS = Histogram(
    "glassdesk_queue_wait_seconds", "From the question to a worker that takes it.", ["channel"], buckets=WAITING
)
FIRST_TOKEN_SECONDS = Histogram(
    "glassdesk_time_to_first_token_seconds", "From the question to the first token.", ["channel"], buckets=WAITING
)
TOKEN_SECONDS = Histogram(
    "glassdesk_inter_token_seconds", "From one token of an answer to the next.", buckets=BETWEEN_TOKENS
)
REPLY_SECONDS = Histogram(
    "glassdesk_reply_seconds", "From the question to the stored answer.", ["channel", "outcome"], buckets=WAITING
)
CONTEXT_TOKENS = Histogram("glassdesk_context_tokens", "Tokens of a prompt.", buckets=TOKENS)
PROMPT_TOKENS = Counter("glassdesk_prompt_tokens", "Tokens of prompts.")
CACHED_PROMPT_TOKENS = Counter("glassdesk_cached_prompt_tokens", "Tokens of prompts that the prefix cache held.")
GENERATED_TOKENS = Counter("glassdesk_generated_tokens", "Tokens of answers.")
CACHE_LOOKUPS = Counter(
    "glassdesk_answer_cache", "Answers by what the answer cache gave: exact, semantic, miss or bypass.", ["kind"]
)


def observe_answer(work: Work, *, cache: str = "", outcome: Outcome | None = None) -> None:
    """Measure one stored answer. `cache` says what the answer cache gave; empty where it was not asked.

    `outcome` is given where it does not follow from what was generated.
    """
    channel, generated = work.claimed.conversation.channel, work.generated
    outcome = outcome or outcome_of(work)
    asked_at, waited = work.claimed.question.created_at, waited_ms(work.claimed) / 1000
    QUEUE_SECONDS.labels(channel).observe(waited)
    REPLY_SECONDS.labels(channel, outcome.value).observe((timezone.now() - asked_at).total_seconds())
    if cache:
        CACHE_LOOKUPS.labels(cache).inc()
    if generated is None or work.prompt is None:
        return
    first = [step for step in work.clock.steps if step.name == "first_token"]
    if first:
        FIRST_TOKEN_SECONDS.labels(channel).observe(waited + (first[0].start_ms + first[0].duration_ms) / 1000)
    for seconds in generated.token_seconds:
        TOKEN_SECONDS.observe(seconds)
    CONTEXT_TOKENS.observe(len(work.prompt.token_ids))
    PROMPT_TOKENS.inc(len(work.prompt.token_ids))
    CACHED_PROMPT_TOKENS.inc(generated.cached_prompt_tokens)
    GENERATED_TOKENS.inc(len(generated.tokens))


class EngineCollector(Collector):
    """The engine at the moment of a scrape; nothing while it is being loaded for the first time."""

    def describe(self) -> Iterable[Metric]:
        """The names, without asking anybody."""
        return _families().values()

    def collect(self) -> Iterator[Metric]:
        """What the register is told, as figures."""
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

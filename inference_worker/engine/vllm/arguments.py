"""What vLLM is started with, on a CPU and on a GPU. Imports neither vLLM nor PyTorch.

docs/operations/models.md has the table of these settings with the reason of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from inference_worker.engine.model_facts import number_type
from inference_worker.engine.vllm.runner import ModelRunner, chosen_runner, processors

# One step of a CPU takes about a second with so many tokens: nobody's next token waits longer for another's prompt. Most
# prompts are shorter, so that they take one step.
CPU_STEP_TOKENS = 512
# The prefix cache keeps whole blocks. vLLM's own 128 are more than the part that all prompts of a company begin with. On a
# GPU vLLM chooses what its attention kernels want; FlashAttention's blocks are 16 tokens long.
CPU_BLOCK_TOKENS = 32
# Leaves a card's other tenth and a half to the embedding model, CUDA's own memory and what fragments.
GPU_MEMORY_SHARE = 0.85
# The first generation of cards that computes in bfloat16 (Ampere).
BFLOAT16_CAPABILITY = 80
MAX_LOGPROBS = 20


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What to load and how much of the machine it may use.

    `model` is a checkpoint folder or a hub name; `name` and `revision` are what traces show. `kv_cache_gib` bounds the
    key-value cache; 0 means 1 GiB on a CPU and, on a GPU, what weights and steps leave of `gpu_memory_share` (of the whole
    card). `device` is checked, not chosen: the build decides. `runner` is vLLM's model runner (see vllm_runner).
    """

    model: str
    name: str = ""
    revision: str = ""
    max_model_len: int = 2048
    max_num_seqs: int = 16
    kv_cache_gib: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    gpu_memory_share: float = GPU_MEMORY_SHARE
    runner: ModelRunner = "auto"


@dataclass(frozen=True, slots=True)
class Machine:
    """What vLLM computes on. `capability` is a card's generation, 90 for Hopper; 0 for a CPU."""

    device: str
    capability: int = 0

    @property
    def is_cpu(self) -> bool:
        """Whether vLLM's CPU build is installed."""
        return self.device == "cpu"


def this_machine() -> Machine:
    """What the installed vLLM runs on. Imports vLLM."""
    from vllm.platforms import current_platform

    found = None if current_platform.is_cpu() else current_platform.get_device_capability()
    return Machine(current_platform.device_type, found.to_int() if found else 0)


def refusal(settings: EngineSettings, machine: Machine) -> str | None:
    """Why these settings cannot work on the machine; None when nothing is known against them."""
    if settings.device not in ("auto", machine.device):
        return f"The installed vLLM runs on {machine.device!r}, but {settings.device!r} is set."
    if machine.is_cpu and settings.runner == "2":
        return "vLLM's new model runner needs a GPU: set GLASSDESK_MODEL_RUNNER to 1 or auto."
    return None


def engine_arguments(settings: EngineSettings, machine: Machine) -> dict[str, Any]:
    """The arguments of vLLM's `AsyncEngineArgs`."""
    return {
        "model": settings.model,
        "dtype": computing_type(settings.model, machine),
        "max_model_len": settings.max_model_len,
        "max_num_seqs": settings.max_num_seqs,
        "scheduling_policy": "priority",
        "enable_prefix_caching": True,
        "max_logprobs": MAX_LOGPROBS,
        "logprobs_mode": "raw_logprobs",
        "logits_processors": processors(chosen_runner(settings.runner)),
        "worker_extension_cls": "inference_worker.engine.vllm.extensions.worker.WorkerSetup",
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
        **(_cpu_arguments() if machine.is_cpu else _gpu_arguments(settings)),
    }


def _cpu_arguments() -> dict[str, Any]:
    """Nothing is compiled: on a CPU that takes minutes and gains little."""
    return {"enforce_eager": True, "max_num_batched_tokens": CPU_STEP_TOKENS, "block_size": CPU_BLOCK_TOKENS}


def _gpu_arguments(settings: EngineSettings) -> dict[str, Any]:
    """With CUDA graphs; the tokens of a step and the block size are vLLM's own for the card."""
    cache = settings.kv_cache_gib << 30 if settings.kv_cache_gib else None
    return {
        "enforce_eager": False,
        "gpu_memory_utilization": settings.gpu_memory_share,
        "kv_cache_memory_bytes": cache,
    }


def computing_type(model: str, machine: Machine) -> str:
    """The checkpoint's own type (see `number_type`); float16 in place of bfloat16 on cards that lack it."""
    wanted = number_type(model)
    is_old = not machine.is_cpu and 0 < machine.capability < BFLOAT16_CAPABILITY
    return "float16" if is_old and wanted == "bfloat16" else wanted

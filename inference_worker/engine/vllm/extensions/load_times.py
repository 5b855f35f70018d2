"""When the weights were read, noted in vLLM's worker process: only there can the step be told from what surrounds it."""

from __future__ import annotations

import functools
import time
from typing import Any

from vllm.model_executor.model_loader.base_loader import BaseModelLoader

weights_begun_at = 0.0
weights_done_at = 0.0


def register() -> None:
    """Note the time (seconds since the epoch) around the loading of weights in this process."""
    load: Any = BaseModelLoader.load_model

    @functools.wraps(load)
    def timed(self: BaseModelLoader, *arguments: Any, **options: Any) -> Any:
        global weights_begun_at, weights_done_at  # noqa: PLW0603
        weights_begun_at = time.time()
        model = load(self, *arguments, **options)
        weights_done_at = time.time()
        return model

    BaseModelLoader.load_model = timed

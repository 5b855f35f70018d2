"""Random generators that can be put back, which vLLM needs of a request with a seed.

When a step ends in the middle of a request's prompt, vLLM discards the token that it sampled and rewinds the request's
generator by its offset. PyTorch's CPU generators have none, and vLLM's engine dies of the error. Nothing of the request
has been kept by then, so going back to the seed is the exact rewind; only a request that was preempted after its first
tokens continues with other, equally random numbers.
"""

from __future__ import annotations

import torch


class RewindableGenerator(torch.Generator):  # type: ignore[misc]  # untyped vendor
    """A CPU generator whose offset is always 0, and which any new offset puts back to its seed."""

    def get_offset(self) -> int:
        """No numbers are counted."""
        return 0

    def set_offset(self, offset: int) -> None:
        """Back to the seed, whatever the offset."""
        self.manual_seed(self.initial_seed())


def register() -> None:
    """Make vLLM's worker process use rewindable generators; a GPU's can be rewound as they are."""
    from vllm.platforms import current_platform

    if current_platform.is_cpu():
        torch.Generator = RewindableGenerator

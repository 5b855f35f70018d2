"""Restrict an answer to one of several given texts: what the processors for both of vLLM's model runners share.

A logits processor instead of vLLM's structured outputs, because the latter mask the logits before log-probabilities are
taken (a forced token then always has probability 1), while processors run on a copy or after it: the trace keeps what
the model really believed. It also follows each text's own tokenization, so the answer equals the text exactly.

vLLM has two model runners, each with a processor interface of its own, and refuses the other's: choices_v1.py is for the
old one (a CPU's only one), choices_v2.py for the new one, which needs Triton. See docs/decisions/0018.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from inference_worker.engine.vllm.answer_reader import CHOICES

if TYPE_CHECKING:
    from torch import Tensor

# Row of the logits and token id.
Permitted = tuple[int, int]


def choices_of(parameters: Any) -> list[list[int]]:
    """The texts (token ids) that a request may become; none for a request that writes freely."""
    choices: list[list[int]] | None = (getattr(parameters, "extra_args", None) or {}).get(CHOICES)
    return choices or []


def check_choices(parameters: Any) -> None:
    """Refuse empty restrictions before the request reaches the batch."""
    if CHOICES in (getattr(parameters, "extra_args", None) or {}):
        choices = choices_of(parameters)
        if not (choices and all(choices)):
            raise ValueError("choices must be non-empty token lists")


def keep_only(logits: Tensor, permitted: Sequence[Permitted], is_open: Tensor | None = None) -> Tensor:
    """Forbid in place, in every row that is named, each token that is not `permitted` (no pair twice).

    `is_open` (float, one for each pair, 0 or 1) says which of them are really permitted, where only the device knows; a
    row in which none is stays as it is. However many requests there are, it is a handful of operations, and nothing waits
    for the device.
    """
    if not permitted:
        return logits
    place = {row: number for number, row in enumerate(dict.fromkeys(row for row, _ in permitted))}
    rows = to_device(list(place), logits.device)
    owner = to_device([place[row] for row, _ in permitted], logits.device)
    tokens = to_device([token for _, token in permitted], logits.device)
    places = (rows[owner], tokens)
    kept = logits[places]
    if is_open is None:
        logits.index_fill_(0, rows, float("-inf"))
    else:
        row_open = torch.zeros(len(place), device=logits.device).scatter_reduce_(0, owner, is_open, "amax")
        nothing = torch.zeros_like(row_open)
        forbid = nothing.masked_fill(row_open > 0, float("-inf")).to(logits.dtype)
        logits.index_add_(0, rows, forbid.unsqueeze(1).expand(-1, logits.shape[1]))
        kept = kept.masked_fill((is_open == 0) & (row_open > 0)[owner], float("-inf"))
    logits[places] = kept
    return logits


def to_device(numbers: Sequence[Any], device: torch.device) -> Tensor:
    """Whole numbers (or rows of them) as int64 on the device, copied without waiting for it."""
    tensor = torch.tensor(numbers, dtype=torch.int64, pin_memory=device.type == "cuda")
    return tensor.to(device, non_blocking=True)

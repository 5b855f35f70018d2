"""Restrict an answer to one of several given texts (see choices.py), on vLLM's new model runner.

A request keeps its slot, and the tokens of each slot lie on the device: the step that wrote the newest one may not even
have ended there. So what has been written is compared on the device, and only where the texts of a request have parted;
before that, which is nearly always, the texts alone say what comes next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from vllm.v1.worker.gpu.sample.logits_processor import LogitsProcessor

from inference_worker.engine.vllm.extensions.choices import Permitted, check_choices, choices_of, keep_only, to_device

if TYPE_CHECKING:
    from torch import Tensor
    from vllm import SamplingParams

ANY = -1


@dataclass(slots=True)
class Step:
    """What may come next in the rows of one step. `parted` are texts (permitted pair, slot, first place, beginning) that
    it may become only if it has begun like them.
    """

    permitted: dict[Permitted, int] = field(default_factory=dict)
    parted: list[tuple[int, int, int, list[int]]] = field(default_factory=list)

    def add(self, row: int, slot: int, start: int, written: int, choices: list[list[int]]) -> None:
        """A request whose answer begins at place `start` of its slot and has `written` tokens."""
        open_ = [choice for choice in choices if len(choice) > written]
        have_parted = any(choice[:written] != open_[0][:written] for choice in open_)
        for choice in open_:
            pair = self.permitted.setdefault((row, choice[written]), len(self.permitted))
            if have_parted:
                self.parted.append((pair, slot, start, choice[:written]))

    def is_open(self, tokens: Tensor) -> Tensor | None:
        """Which pairs are really permitted, after what has been written in `tokens` (slots, places)."""
        if not self.parted:
            return None
        device, width = tokens.device, max(len(beginning) for *_, beginning in self.parted)
        pairs, slots, starts = (to_device([each[i] for each in self.parted], device) for i in range(3))
        wanted = to_device([begun + [ANY] * (width - len(begun)) for *_, begun in self.parted], device)
        places = (starts.unsqueeze(1) + torch.arange(width, device=device)).clamp_(max=tokens.shape[1] - 1)
        matches = ((tokens[slots.unsqueeze(1), places] == wanted) | (wanted == ANY)).all(dim=1)
        needed = {pair for pair, *_ in self.parted}
        found = to_device([pair not in needed for pair in range(len(self.permitted))], device).float()
        return found.scatter_reduce_(0, pairs, matches.float(), "amax")


class ChoiceProcessor(LogitsProcessor):  # type: ignore[misc]  # untyped vendor
    """Masks, row by row of the running batch, every token that would leave the given texts."""

    def __init__(self, vllm_config: Any, req_states: Any) -> None:
        if getattr(vllm_config, "speculative_config", None) is not None:
            raise ValueError("answers cannot be restricted to given texts together with speculative decoding")
        self._states = req_states
        self._choices: dict[int, list[list[int]]] = {}

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Refuse empty restrictions before the request reaches the batch."""
        check_choices(sampling_params)

    def add_request(self, req_idx: int, sampling_params: SamplingParams) -> bool:
        """Remember the restriction of the request that takes a slot, or that it has none. The slot's last one is gone."""
        self._choices[req_idx] = choices_of(sampling_params)
        return bool(self._choices[req_idx])

    def apply(self, logits: Tensor, ctx: Any) -> Tensor:
        """Mask the rows of restricted requests in place; a request past its text's end is left alone."""
        step, starts = Step(), self._states.prompt_len.np
        for row, slot in enumerate(ctx.idx_mapping_np.tolist()):
            if choices := self._choices.get(slot):
                start = int(starts[slot])
                written = int(ctx.seq_lens_upper_bound_np[row]) - start
                # Within its prompt nothing is written: what is drawn there is thrown away.
                if written >= 0:
                    step.add(row, slot, start, written, choices)
        return keep_only(logits, list(step.permitted), step.is_open(self._states.all_token_ids.gpu))

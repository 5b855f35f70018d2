"""Restrict an answer to one of several given texts (see choices.py), on vLLM's old model runner.

The runner tells which request has come to which row, and the tokens of each are in a list that it keeps up to date.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor, MoveDirectionality

from inference_worker.engine.vllm.extensions.choices import check_choices, choices_of, keep_only

if TYPE_CHECKING:
    from torch import Tensor
    from vllm import SamplingParams


@dataclass(slots=True)
class Restriction:
    """The texts that one running request may still become. `written` is the engine's live list of its tokens."""

    choices: list[list[int]]
    written: list[int]
    position: int = 0
    open: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open = list(self.choices)

    def allowed(self) -> list[int]:
        """Token ids permitted next, in ascending order."""
        while self.position < len(self.written):
            token, at = self.written[self.position], self.position
            self.open = [choice for choice in self.open if len(choice) > at and choice[at] == token]
            self.position += 1
        return sorted({choice[self.position] for choice in self.open if len(choice) > self.position})


class ChoiceProcessor(LogitsProcessor):  # type: ignore[misc]  # untyped vendor
    """Masks, row by row of the running batch, every token that would leave the given texts."""

    def __init__(self, vllm_config: object, device: object, is_pin_memory: bool) -> None:
        self._rows: dict[int, Restriction] = {}

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Refuse empty restrictions before the request reaches the batch."""
        check_choices(sampling_params)

    def is_argmax_invariant(self) -> bool:
        """False: the restriction decides greedy sampling too."""
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Follow requests that join, leave or change rows of the batch."""
        if batch_update is None:
            return
        for row in batch_update.removed:
            self._rows.pop(row, None)
        for row, parameters, _, written in batch_update.added:
            self._rows.pop(row, None)
            if choices := choices_of(parameters):
                self._rows[row] = Restriction(choices, written)
        for source, target, direction in batch_update.moved:
            moved, displaced = self._rows.pop(source, None), self._rows.pop(target, None)
            if moved is not None:
                self._rows[target] = moved
            if displaced is not None and direction == MoveDirectionality.SWAP:
                self._rows[source] = displaced

    def apply(self, logits: Tensor) -> Tensor:
        """Mask the rows of restricted requests in place; a request past its text's end is left alone."""
        return keep_only(logits, [(row, token) for row, each in self._rows.items() for token in each.allowed()])

"""Restrict an answer to one of several given texts, inside vLLM's engine process.

A logits processor instead of vLLM's structured outputs, because the latter mask the logits before log-probabilities are
taken (a forced token then always has probability 1), while processors run after it: the trace keeps what the model
really believed. It also follows each text's own tokenization, so the answer equals the text exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor, MoveDirectionality

from inference_worker.answer_reader import CHOICES

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
        choices = _choices(sampling_params)
        if choices is not None and not (choices and all(choices)):
            raise ValueError("choices must be non-empty token lists")

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
            if choices := _choices(parameters):
                self._rows[row] = Restriction(choices, written)
        for source, target, direction in batch_update.moved:
            moved, displaced = self._rows.pop(source, None), self._rows.pop(target, None)
            if moved is not None:
                self._rows[target] = moved
            if displaced is not None and direction == MoveDirectionality.SWAP:
                self._rows[source] = displaced

    def apply(self, logits: Tensor) -> Tensor:
        """Mask the rows of restricted requests in place; a request past its text's end is left alone."""
        for row, restriction in self._rows.items():
            if allowed := restriction.allowed():
                kept = logits[row, allowed].clone()
                logits[row] = float("-inf")
                logits[row, allowed] = kept
        return logits


def _choices(parameters: Any) -> list[list[int]] | None:
    choices: list[list[int]] | None = (parameters.extra_args or {}).get(CHOICES)
    return choices

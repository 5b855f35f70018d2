"""From the engine's raw step outputs to deltas: exact text, tokens with log-probabilities, ranks and alternatives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

from inference_worker.engine.contract import Alternative, Delta, EngineError, FinishReason, Token
from inference_worker.engine.token_text import TokenText

CHOICES = "glassdesk_choices"  # request argument: token id lists, each ending with the end-of-turn token
FINISH_REASONS: Mapping[str, FinishReason] = {"stop": "stop", "length": "length", "abort": "abort"}


@dataclass(frozen=True, slots=True)
class SpelledChoice:
    """One permitted answer: its token ids and its text cut along them (`"".join(pieces)` is the text)."""

    ids: tuple[int, ...]
    pieces: tuple[str, ...]


def spell_choices(text: TokenText, choices: Sequence[str]) -> tuple[SpelledChoice, ...]:
    """Spell each permitted answer in tokens. Raises EngineError for an empty or unspellable one."""
    spelled = []
    for choice in choices:
        if not choice:
            raise EngineError("A choice must not be empty.", retryable=False)
        try:
            ids = text.spell(choice)
            spelled.append(SpelledChoice(ids, text.pieces(ids, choice)))
        except ValueError as error:
            raise EngineError(f"A choice cannot be generated: {error}.", retryable=False) from error
    return tuple(spelled)


class AnswerReader:
    """Reads one answer's outputs in order.

    With `choices` the text comes from the permitted answers themselves, so decoding can never alter it. The
    end-of-turn token, `end`, is not part of the answer and is left out.
    """

    def __init__(
        self, text: TokenText, *, prompt: Sequence[int], choices: Sequence[SpelledChoice], top_logprobs: int, end: int
    ) -> None:
        self._text = text
        self._stream = text.stream(prompt)
        self._choices = list(choices)
        self._restricted = bool(choices)
        self._top = top_logprobs
        self._end = end
        self._position = 0

    def forced(self, limit: int) -> tuple[int, ...]:
        """The next tokens of every answer that is still permitted, at most `limit`: there the engine decides nothing."""
        rests = [choice.ids[self._position :] for choice in self._choices]
        columns = islice(zip(*rests, strict=False), limit)
        return tuple(column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns))

    def permitted(self, skip: int = 0) -> list[list[int]]:
        """What may still be written, each to its end; without the next `skip` tokens, which are forced."""
        return [[*choice.ids[self._position + skip :], self._end] for choice in self._choices]

    def read(self, output: Any, *, forced: Sequence[int] = ()) -> Delta:
        """The delta of one `RequestOutput` in delta mode: `forced` tokens at the end of its prompt, and what was written.

        Raises EngineError when the engine gave up on the request.
        """
        completion = output.outputs[0]
        reason = _finish_reason(completion.finish_reason)
        if self._restricted and reason == "length":
            reason = None  # the end of a piece
        ids = list(completion.token_ids)
        if reason == "stop" and not isinstance(completion.stop_reason, str):
            ids = ids[:-1]
        rows = [*output.prompt_logprobs[-len(forced) :]] if forced else []
        rows += completion.logprobs or ()
        tokens = tuple(self._token(token, entries) for token, entries in zip([*forced, *ids], rows, strict=False))
        text = "".join(token.text for token in tokens) if self._restricted else completion.text
        return Delta(
            text=text,
            tokens=tokens,
            finish_reason=reason,
            cached_prompt_tokens=getattr(output, "num_cached_tokens", 0) or 0,
        )

    def _token(self, token: int, entries: Mapping[int, Any]) -> Token:
        chosen = entries[token]
        # What a JSON schema forbids has probability 0, whose logarithm is no number to record.
        listed = sorted(
            (entry.rank, other)
            for other, entry in entries.items()
            if entry.rank <= self._top and math.isfinite(entry.logprob)
        )
        alternatives = (Alternative(other, self._text.show(other), entries[other].logprob) for _, other in listed)
        return Token(token, self._piece(token), chosen.logprob, chosen.rank, tuple(alternatives))

    def _piece(self, token: int) -> str:
        if not self._restricted:
            return self._stream.step(token)
        at, self._position = self._position, self._position + 1
        self._choices = [choice for choice in self._choices if len(choice.ids) > at and choice.ids[at] == token]
        if not self._choices:
            raise EngineError("The engine left the permitted answers.", retryable=True)
        return self._choices[0].pieces[at]


def _finish_reason(reason: str | None) -> FinishReason | None:
    if reason is None:
        return None
    if reason not in FINISH_REASONS:
        raise EngineError(f"The engine gave up on the request ({reason}).", retryable=True)
    return FINISH_REASONS[reason]

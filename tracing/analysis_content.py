"""What is measured about an answer after it was given: its causes, replays and alternatives. Plain values, sealed.

Log-probabilities are natural logarithms (nats); offsets count characters of the answer; times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracing.content import EngineRecord, TokenRecord
from tracing.plain import Malformed, from_plain

LEAVE_ONE_OUT = "leave_one_out"
SAMPLED_SUBSETS = "sampled_subsets"

# A passage caused a sentence when the model finds it this much less likely per token without the passage.
CAUSED_NATS_PER_TOKEN = 0.1

EXACT, APPROXIMATE, CHANGED = "exact", "approximate", "changed"


@dataclass(frozen=True, slots=True)
class SentenceCauses:
    """A sentence [start, end) of the answer and how much each passage made the model say it.

    `effects` are nats over the whole sentence, in the order of `Attribution.passages`: the log-probability with all
    passages less the one without that passage (or the weight of a linear model of it). `logprob` is with all.
    """

    start: int
    end: int
    tokens: int
    logprob: float
    effects: tuple[float, ...]

    @property
    def strongest(self) -> int | None:
        """Index of the passage with the largest effect; None without passages."""
        return max(range(len(self.effects)), key=self.effects.__getitem__) if self.effects else None

    @property
    def is_grounded(self) -> bool:
        """Whether at least one passage caused it."""
        best = self.strongest
        return best is not None and self.tokens > 0 and self.effects[best] / self.tokens >= CAUSED_NATS_PER_TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Which passage caused which sentence, measured by scoring the fixed answer again without passages.

    `passes` counts the engine's forward passes, `scored_tokens` the tokens that they read. `drift` is the mean absolute
    difference per token between the log-probabilities recorded while writing and those scored again with the same
    prompt: how exactly the engine repeats itself.
    """

    method: str
    passages: tuple[str, ...]
    sentences: tuple[SentenceCauses, ...]
    passes: int
    scored_tokens: int
    drift: float
    engine: EngineRecord
    duration_ms: float

    @property
    def groundedness(self) -> float | None:
        """Share of the answer's tokens in sentences that a passage caused; None for an answer without tokens."""
        total = sum(sentence.tokens for sentence in self.sentences)
        caused = sum(sentence.tokens for sentence in self.sentences if sentence.is_grounded)
        return caused / total if total else None


@dataclass(frozen=True, slots=True)
class TokenChange:
    """A stretch that differs: tokens [old_start, old_end) of the recorded answer against [new_start, new_end)."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Something other than the words that differs: its name and both values."""

    name: str
    recorded: str
    replayed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The recorded request put to the engine again, or with a change.

    `verdict`: exact (the same tokens from the same engine, model and inputs), approximate (the same text, with
    `differences`) or changed. `largest_shift` and `mean_shift` compare the log-probabilities of tokens at the same
    place, up to the first difference; None when there is none.
    """

    verdict: str
    answer: str
    tokens: tuple[TokenRecord, ...]
    engine: EngineRecord
    changes: tuple[TokenChange, ...]
    differences: tuple[Difference, ...]
    largest_shift: float | None
    mean_shift: float | None
    duration_ms: float
    without: tuple[str, ...] = ()
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class AlternativeAnswer:
    """Another whole answer that the model might have written: sampled, without the desk's restrictions."""

    text: str
    mean_logprob: float | None
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternatives:
    """Whole answers sampled from the model for the recorded prompt."""

    answers: tuple[AlternativeAnswer, ...]
    temperature: float
    engine: EngineRecord
    duration_ms: float


AnalysisResult = Attribution | Replay | Alternatives
_SHAPES: dict[str, type[Any]] = {"attribution": Attribution, "replay": Replay, "alternatives": Alternatives}


def analysis_result(kind: str, content: dict[str, Any]) -> AnalysisResult:
    """A stored analysis as its value again. Raises Malformed for an unknown kind or shape."""
    if kind not in _SHAPES:
        raise Malformed("an unknown kind of analysis")
    result: AnalysisResult = from_plain(_SHAPES[kind], content)
    return result

"""What a trace's sealed payload holds: everything that led to one answer, as plain values.

None means "does not apply" or "was not measured"; nothing here is ever estimated to fill a gap. Log-probabilities are
natural logarithms; times are milliseconds since the reply was claimed; offsets count characters.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tracing.plain import Malformed, from_plain, to_plain

# One piece of JSON; since format 2 contents are stored as `tracing.sections`.
FORMAT_VERSION = 1
BANDS = ("low", "medium", "high")
STEP_NAME = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(frozen=True, slots=True)
class QuestionTerm:
    """A search term of the question and its weight: 1 for one found nowhere, near 0 for one in every passage."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """An earlier message that the assistant saw."""

    author: str
    body: str


@dataclass(frozen=True, slots=True)
class PromptTurn:
    """One message of the chat prompt, before the model's template was applied."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class PromptPassage:
    """Where a candidate's line stands in the prompt's last turn: [start, end) offsets before the template."""

    chunk: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PromptRecord:
    """The prompt exactly as the engine received it."""

    text: str
    token_ids: tuple[int, ...]
    template_version: str
    turns: tuple[PromptTurn, ...] = ()
    passages: tuple[PromptPassage, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenAlternative:
    """A token that the model weighed at one position."""

    id: int
    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A generated token; `rank` 1 is the model's favourite. `alternatives` are the favourites, the likeliest first."""

    id: int
    text: str
    logprob: float
    rank: int
    alternatives: tuple[TokenAlternative, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingRecord:
    """How tokens were picked. `choices` are the texts that the answer was restricted to, if any."""

    max_tokens: int
    temperature: float
    top_p: float
    seed: int | None
    stop: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    top_logprobs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRecord:
    """What generated the answer: everything that a replay must match."""

    model: str
    revision: str
    quantization: str
    engine: str
    engine_version: str
    device: str
    max_model_len: int
    libraries: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """A score of one search and the place that it earned (1 is best)."""

    score: float
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A passage that retrieval considered. `version` is the article version's number; `quoted` are offsets in `text`.

    A search that did not list the passage leaves its score None. `is_other_language` passages come from lists of their
    own, whose scores and ranks do not compare with the others'.
    """

    chunk: str
    article: str
    version: int
    slug: str
    title: str
    heading: str
    language: str
    text: str
    dense: Score | None
    lexical: Score | None
    fused: Score | None
    used: bool
    quoted: tuple[tuple[int, int], ...] = ()
    is_other_language: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The decision whether the articles answer the question at all. `score` and `threshold` share one scale, 0 to 1."""

    answerable: bool
    score: float | None
    threshold: float | None
    margin: float | None
    features: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WeakestSpan:
    """The run of tokens [start, end) that the model found least likely on average."""

    start: int
    end: int
    mean_logprob: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalConfidence:
    """How well the articles fit the question."""

    score: float | None
    threshold: float | None
    margin: float | None
    rank_agreement: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenConfidence:
    """How likely the model itself found what was written. `entropy_at_least` is a lower bound, nats per token."""

    mean_logprob: float
    weakest_span: WeakestSpan
    entropy_at_least: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """The parts, kept apart, and the one band that people see.

    `calibrated` says whether labels back the band; then `probability` is that of a right answer, by the calibration of
    that version.
    """

    retrieval: RetrievalConfidence | None
    token_probability: TokenConfidence | None
    band: str
    calibrated: bool = False
    groundedness: float | None = None
    relevance: float | None = None
    completeness: float | None = None
    probability: float | None = None
    calibration: str | None = None

    def __post_init__(self) -> None:
        if self.band not in BANDS:
            raise Malformed(f"the band must be one of {', '.join(BANDS)}")


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step of answering. The name is plain in the database, so it must be a fixed word and never content."""

    name: str
    start_ms: float
    duration_ms: float

    def __post_init__(self) -> None:
        if not STEP_NAME.fullmatch(self.name):
            raise Malformed("a step's name must consist of lower-case letters and underscores")


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that the prompt's budget cut: `kind` is "history" or "passage", `reference` says which one."""

    kind: str
    reference: str
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedAnswer:
    """Where an answer that was not written anew comes from: the trace and reply that it was written with.

    `kind` is "exact" for the same question and "semantic" for a similar one, `similarity` the cosine of the two questions
    (1 for the same). The confidence is then the original's: nothing was measured again.
    """

    trace: str
    reply: str
    kind: str
    similarity: float


@dataclass(frozen=True, slots=True)
class DeletedSection:
    """A part of the content that is gone by the tenant's retention policy: `kind` is "prompts" or "answers"."""

    kind: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContent:
    """The sealed content of one trace. A refusal before generation has no prompt, sampling, engine and tokens, and neither
    has an answer that was given again.

    `deleted` says which parts are empty because they were deleted; it is never sealed itself.
    """

    question: str
    language: str
    style: str
    answer: str
    confidence: Confidence
    steps: tuple[StepRecord, ...]
    search_query: str | None = None
    history: tuple[HistoryMessage, ...] = ()
    prompt: PromptRecord | None = None
    tokens: tuple[TokenRecord, ...] = ()
    sampling: SamplingRecord | None = None
    engine: EngineRecord | None = None
    embedder: dict[str, str] | None = None
    candidates: tuple[Candidate, ...] = ()
    selection: Selection | None = None
    dropped: tuple[Dropped, ...] = ()
    question_terms: tuple[QuestionTerm, ...] = ()
    topics: tuple[str, ...] = ()
    kind: str | None = None
    cached: CachedAnswer | None = None
    deleted: tuple[DeletedSection, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Plain values. Raises Malformed for a value that JSON cannot carry, such as an infinite log-probability."""
        plain: dict[str, Any] = to_plain(replace(self, deleted=()))
        del plain["deleted"]
        return plain

    def to_json(self) -> bytes:
        """UTF-8 JSON of format 1, in one piece. Raises Malformed for a value that JSON cannot carry."""
        plain = {"format": FORMAT_VERSION, **self.to_plain()}
        # Half of a surrogate pair is no text in any encoding; it must not keep a whole answer from being stored.
        return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="replace")

    @classmethod
    def from_json(cls, encoded: bytes) -> TraceContent:
        """The content that `to_json` encoded. Raises Malformed for another format or shape."""
        try:
            plain: Any = json.loads(encoded)
        except ValueError:
            raise Malformed("the content is not JSON") from None
        if not isinstance(plain, dict) or plain.pop("format", None) != FORMAT_VERSION:
            raise Malformed(f"the content is not of format {FORMAT_VERSION}")
        return from_plain(cls, plain)

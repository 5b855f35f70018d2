"""The whole content of one trace, and its JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tracing.content.checking import Checking
from tracing.content.confidence import Confidence
from tracing.content.evidence import (
    CandidateRecord,
    Dropped,
    Missing,
    QuestionTerm,
    Selection,
    Translation,
    with_named_scores,
)
from tracing.content.generation import EngineRecord, PromptRecord, SamplingRecord, TokenRecord
from tracing.plain import Malformed, from_plain, to_plain

# One piece of JSON; since format 2 contents are stored as `tracing.sections`.
FORMAT_VERSION = 1
STEP_NAME = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """An earlier message that the assistant saw."""

    author: str
    body: str


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
class StageRecord:
    """What a further stage of answering found, such as a guard: its verdict in a fixed word, and figures. Never content."""

    stage: str
    verdict: str
    figures: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(STEP_NAME.fullmatch(name) for name in (self.stage, self.verdict, *self.figures)):
            raise Malformed("a stage's words must consist of lower-case letters and underscores")


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
    has a cached answer. `checking` is there when the engine wrote freely from passages: `answer` is what was shown of it.

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
    reranker: dict[str, str] | None = None
    candidates: tuple[CandidateRecord, ...] = ()
    selection: Selection | None = None
    dropped: tuple[Dropped, ...] = ()
    question_terms: tuple[QuestionTerm, ...] = ()
    topics: tuple[str, ...] = ()
    kind: str | None = None
    missing: tuple[Missing, ...] = ()
    cached: CachedAnswer | None = None
    stages: tuple[StageRecord, ...] = ()
    checking: Checking | None = None
    translations: tuple[Translation, ...] = ()
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
        return cls.from_plain(plain)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> TraceContent:
        """The content of plain values of any format. Raises Malformed for another shape."""
        candidates = plain.get("candidates", [])
        if not isinstance(candidates, list) or not all(isinstance(each, dict) for each in candidates):
            raise Malformed("the candidates are no list")
        return from_plain(cls, plain | {"candidates": [with_named_scores(each) for each in candidates]})

"""What was searched for, found, chosen and cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# The searches whose scores formats 1 to 3 held in fields of these names.
EARLIER_SEARCHES = ("dense", "lexical", "fused")


@dataclass(frozen=True, slots=True)
class QuestionTerm:
    """A search term of the question and its weight: 1 for one found nowhere, near 0 for one in every passage."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """A score of one search and the place that it earned (1 is best)."""

    score: float
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRecord:
    """A passage that retrieval considered. `version` is the article version's number; `quoted` are offsets in `text`.

    `scores` are those of the searches that list the passage, by their names: "dense" by meaning, "lexical" by words, "fused"
    from all of them, and whatever else ranked it. `is_other_language` passages come from lists of their own, whose scores
    and ranks do not compare with the others'.
    """

    chunk: str
    article: str
    version: int
    slug: str
    title: str
    heading: str
    language: str
    text: str
    scores: dict[str, ScoreRecord]
    used: bool
    quoted: tuple[tuple[int, int], ...] = ()
    is_other_language: bool = False


def with_named_scores(candidate: dict[str, Any]) -> dict[str, Any]:
    """A candidate's plain values as they are written now, from those of any format."""
    if "scores" in candidate:
        return candidate
    scores = {name: candidate[name] for name in EARLIER_SEARCHES if candidate.get(name) is not None}
    return {name: value for name, value in candidate.items() if name not in EARLIER_SEARCHES} | {"scores": scores}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The decision whether the articles answer the question at all. `score` and `threshold` share one scale, 0 to 1."""

    answerable: bool
    score: float | None
    threshold: float | None
    margin: float | None
    features: dict[str, float] = field(default_factory=dict)

    @property
    def is_reranked(self) -> bool:
        """Whether a reranker read the best sentence, whose margin is then on another scale."""
        return "answers" in self.features


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that the question names and the quoted sentences do not speak of, as it is written there.

    `kind` is "code", "name", "quantity", "subject", or "kind" for a kind of quantity that is asked for ("power").
    `is_unknown`: no passage that was found speaks of it either.
    """

    text: str
    kind: str
    is_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A quoted sentence, [start, end) of its passage, as the engine put it into `language`.

    `reason` is the fixed word for why it was not shown, "" when it was.
    """

    chunk: str
    start: int
    end: int
    language: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that the prompt's budget cut; `reference` says which one.

    `kind` is "instructions", "history", "passage" or "question".
    """

    kind: str
    reference: str
    tokens: int | None = None

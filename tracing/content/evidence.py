"""What was searched for, found, chosen and cut."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class QuestionTerm:
    """A search term of the question and its weight: 1 for one found nowhere, near 0 for one in every passage."""

    text: str
    weight: float


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
class Missing:
    """Something that the question names and the quoted sentences do not speak of, as it is written there.

    `kind` is "code", "name", "quantity", "subject", or "kind" for a kind of quantity that is asked for ("power").
    `is_unknown`: no passage that was found speaks of it either.
    """

    text: str
    kind: str
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that the prompt's budget cut; `reference` says which one.

    `kind` is "instructions", "history", "passage" or "question".
    """

    kind: str
    reference: str
    tokens: int | None = None

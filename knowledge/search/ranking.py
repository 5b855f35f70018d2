"""Ranked lists of passages: reciprocal rank fusion and the slots reserved for the other language. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar
from uuid import UUID

Place = TypeVar("Place")

RANK_CONSTANT = 60
# Names of lists: by meaning, by words; of the score that a passage has from all lists together, and of the best score that a
# model which reads the question beside its sentences gave one of them.
DENSE, LEXICAL, FUSED, RERANK = "dense", "lexical", "fused", "rerank"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage in one list with the score that put it there; the list's order is its rank."""

    chunk_id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class Score:
    """A passage's score in one list and the place that it earned there (1 is best)."""

    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class SentenceScore:
    """What a reranker thinks of a sentence, as logits: how it ranks for the question, and whether it answers it."""

    relevance: float
    answers: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its score in each list that holds it, by the list's name; FUSED orders it in its language."""

    chunk_id: UUID
    scores: dict[str, Score]
    is_other_language: bool = False


def reciprocal_rank(rank: int) -> float:
    """What one list adds to a passage's fused score (Cormack, Clarke and Büttcher, SIGIR 2009); k = 60."""
    return 1.0 / (RANK_CONSTANT + rank)


def fuse(
    lists: Mapping[str, Sequence[Hit]], *, is_other_language: bool = False, weights: Mapping[str, float] | None = None
) -> list[Ranked]:
    """The lists as one, by the sum of reciprocal ranks; what a list adds is multiplied by its weight (1 unless given).

    Of two passages with the same sum the one that the list named first lacks goes first, then the better place in it.
    """
    weighing = weights or {}
    found: dict[UUID, dict[str, Score]] = {}
    for name, hits in lists.items():
        for rank, hit in enumerate(hits, 1):
            found.setdefault(hit.chunk_id, {})[name] = Score(hit.score, rank)
    fused = {
        chunk_id: sum(weighing.get(name, 1.0) * reciprocal_rank(score.rank) for name, score in scores.items())
        for chunk_id, scores in found.items()
    }

    def order(chunk_id: UUID) -> tuple[float, list[int], UUID]:
        places = [found[chunk_id][name].rank if name in found[chunk_id] else 0 for name in lists]
        return -fused[chunk_id], places, chunk_id

    return [
        Ranked(chunk_id, found[chunk_id] | {FUSED: Score(fused[chunk_id], rank)}, is_other_language)
        for rank, chunk_id in enumerate(sorted(found, key=order), 1)
    ]


def reserve_slots(own: Sequence[Place], other: Sequence[Place], *, limit: int, reserved: int) -> list[Place]:
    """`reserved` of the `limit` places are the other language's; what one language leaves free the other takes.

    Each language has an order of its own, and their scores do not compare: their places alternate, the own one first.
    """
    other_places = max(min(reserved, len(other)), min(limit - len(own), len(other)))
    pairs = zip_longest(own[: limit - other_places], other[:other_places])
    return [place for pair in pairs for place in pair if place is not None]

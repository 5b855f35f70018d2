"""Ranked lists of passages: reciprocal rank fusion and the slots reserved for the other language. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

RANK_CONSTANT = 60


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage in one list with the score that put it there; the list's order is its rank."""

    chunk_id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class RankedLists:
    """The lists of one search, best first; `frequencies` says in how many passages each query term occurs."""

    dense: tuple[Hit, ...] = ()
    lexical: tuple[Hit, ...] = ()
    other: tuple[Hit, ...] = ()
    frequencies: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage's place in each list (counted from 1) and among the passages of its language (`rank`)."""

    chunk_id: UUID
    rank: int
    fused_score: float
    dense_rank: int | None = None
    dense_score: float | None = None
    lexical_rank: int | None = None
    lexical_score: float | None = None
    is_other_language: bool = False


def reciprocal_rank(rank: int | None) -> float:
    """What one list adds to a passage's fused score (Cormack, Clarke and Büttcher, SIGIR 2009); k = 60."""
    return 0.0 if rank is None else 1.0 / (RANK_CONSTANT + rank)


def fuse(dense: Sequence[Hit], lexical: Sequence[Hit]) -> list[Ranked]:
    """Both lists as one, by the sum of reciprocal ranks; ties go to the better place in the dense list."""
    by_meaning = {hit.chunk_id: (rank, hit.score) for rank, hit in enumerate(dense, 1)}
    by_words = {hit.chunk_id: (rank, hit.score) for rank, hit in enumerate(lexical, 1)}
    fused = []
    for chunk_id in by_meaning | by_words:
        dense_rank, dense_score = by_meaning.get(chunk_id, (None, None))
        lexical_rank, lexical_score = by_words.get(chunk_id, (None, None))
        fused.append(
            Ranked(
                chunk_id=chunk_id,
                rank=0,
                fused_score=reciprocal_rank(dense_rank) + reciprocal_rank(lexical_rank),
                dense_rank=dense_rank,
                dense_score=dense_score,
                lexical_rank=lexical_rank,
                lexical_score=lexical_score,
            )
        )
    fused.sort(key=lambda hit: (-hit.fused_score, hit.dense_rank or len(fused), hit.chunk_id))
    return [replace(hit, rank=rank) for rank, hit in enumerate(fused, 1)]


def reserve_slots(own: Sequence[Ranked], other: Sequence[Hit], *, limit: int, reserved: int) -> list[Ranked]:
    """`reserved` of the `limit` places are the other language's; what one language leaves free the other takes."""
    other_places = max(min(reserved, len(other)), min(limit - len(own), len(other)))
    foreign = [
        Ranked(hit.chunk_id, rank, reciprocal_rank(rank), rank, hit.score, is_other_language=True)
        for rank, hit in enumerate(other[:other_places], 1)
    ]
    return [*own[: limit - len(foreign)], *foreign]

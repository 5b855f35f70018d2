"""Reciprocal rank fusion and reserved slots."""

from __future__ import annotations

from uuid import UUID

import pytest

from knowledge.search.ranking import Hit, fuse, reserve_slots

A, B, C, D = (UUID(int=number) for number in range(1, 5))


def hits(*ids: UUID) -> list[Hit]:
    return [Hit(chunk_id, 1.0 - place / 10) for place, chunk_id in enumerate(ids)]


def test_fuse_adds_reciprocal_ranks() -> None:
    fused = fuse(hits(A, B, C), hits(B, D))
    assert [hit.chunk_id for hit in fused] == [B, A, D, C]
    assert [hit.rank for hit in fused] == [1, 2, 3, 4]
    assert fused[0].fused_score == pytest.approx(1 / 62 + 1 / 61)
    assert (fused[0].dense_rank, fused[0].lexical_rank) == (2, 1)
    assert (fused[1].lexical_rank, fused[1].lexical_score) == (None, None)


def test_fuse_works_with_words_only() -> None:
    assert [hit.chunk_id for hit in fuse([], hits(C, A))] == [C, A]


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        (hits(A, B, C), hits(D), [A, B, D]),
        (hits(A), hits(C, D), [A, C, D]),
        (hits(A, B, C), [], [A, B, C]),
        ([], hits(A, B, C, D), [A, B, C]),
    ],
)
def test_reserved_slots_are_filled_and_spare_ones_given_away(
    own: list[Hit], other: list[Hit], expected: list[UUID]
) -> None:
    places = reserve_slots(fuse(own, []), other, limit=3, reserved=1)
    assert [place.chunk_id for place in places] == expected
    assert [place.is_other_language for place in places] == [hit in {h.chunk_id for h in other} for hit in expected]

"""Reciprocal rank fusion and reserved slots."""

from __future__ import annotations

from uuid import UUID

import pytest

from knowledge.search.ranking import Hit, fuse, reserve_slots

A, B, C, D = (UUID(int=number) for number in range(1, 5))


def hits(*ids: UUID) -> list[Hit]:
    return [Hit(chunk_id, 1.0 - place / 10) for place, chunk_id in enumerate(ids)]


def test_fuse_adds_reciprocal_ranks() -> None:
    fused = fuse({"dense": hits(A, B, C), "lexical": hits(B, D)})
    assert [hit.chunk_id for hit in fused] == [B, A, D, C]
    assert [hit.scores["fused"].rank for hit in fused] == [1, 2, 3, 4]
    assert fused[0].scores["fused"].score == pytest.approx(1 / 62 + 1 / 61)
    assert (fused[0].scores["dense"].rank, fused[0].scores["lexical"].rank) == (2, 1)
    assert "lexical" not in fused[1].scores


def test_fuse_works_with_words_only() -> None:
    assert [hit.chunk_id for hit in fuse({"dense": [], "lexical": hits(C, A)})] == [C, A]


def test_of_two_passages_with_the_same_sum_the_one_that_the_first_list_lacks_goes_first() -> None:
    assert [hit.chunk_id for hit in fuse({"dense": hits(A), "lexical": hits(B)})] == [B, A]


def test_a_third_list_counts_like_the_others() -> None:
    fused = fuse({"dense": hits(A, B), "lexical": hits(A), "third": hits(B, A)})
    assert [(hit.chunk_id, hit.scores["fused"].score) for hit in fused] == [
        (A, pytest.approx(2 / 61 + 1 / 62)),
        (B, pytest.approx(1 / 62 + 1 / 61)),
    ]


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        (hits(A, B, C), hits(D), [A, D, B]),
        (hits(A), hits(C, D), [A, C, D]),
        (hits(A, B, C), [], [A, B, C]),
        ([], hits(A, B, C, D), [A, B, C]),
    ],
)
def test_reserved_slots_are_filled_and_spare_ones_given_away(
    own: list[Hit], other: list[Hit], expected: list[UUID]
) -> None:
    places = reserve_slots(fuse({"dense": own}), fuse({"dense": other}, is_other_language=True), limit=3, reserved=1)
    assert [place.chunk_id for place in places] == expected
    assert [place.is_other_language for place in places] == [hit in {h.chunk_id for h in other} for hit in expected]

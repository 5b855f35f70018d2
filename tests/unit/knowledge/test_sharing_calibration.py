from __future__ import annotations

import pytest

from knowledge.cached_answers.calibration import (
    MIN_PAIRS,
    MIN_QUESTIONS,
    QuestionPair,
    choose_similarity,
    sharing_quality,
)

QUESTIONS = 200


def pairs(*groups: tuple[int, float, bool, bool]) -> list[QuestionPair]:
    """So many pairs of each (count, cosine, words_agree, is_same), all of different questions."""
    made: list[QuestionPair] = []
    for count, cosine, words_agree, is_same in groups:
        for _ in range(count):
            made.append(QuestionPair(2 * len(made), 2 * len(made) + 1, cosine, words_agree, is_same))
    return made


def test_words_keep_near_misses_out():
    measured = pairs((8, 0.97, True, True), (2, 0.97, False, True), (10, 0.98, False, False))
    alone = sharing_quality(0.95, measured, questions=QUESTIONS, by_words=False)
    both = sharing_quality(0.95, measured, questions=QUESTIONS, by_words=True)
    assert (alone.precision, alone.recall, alone.false_hits) == (0.5, 1.0, 0.1)
    assert (both.precision, both.recall, both.false_hits) == (1.0, 0.8, 0.0)


def test_a_threshold_without_hits_has_no_precision():
    quality = sharing_quality(0.99, pairs((3, 0.9, True, False)), questions=QUESTIONS, by_words=True)
    assert (quality.precision, quality.recall, quality.false_hits) == (None, None, 0.0)


def test_a_question_that_is_misled_twice_counts_once():
    twice = [QuestionPair(0, 1, 0.99, True, False), QuestionPair(0, 2, 0.99, True, False)]
    assert sharing_quality(0.9, twice, questions=30, by_words=True).false_hits == pytest.approx(0.1)


def test_the_highest_threshold_that_gives_no_hit_away_is_chosen():
    best = choose_similarity(pairs((20, 0.962, True, True), (5, 0.93, False, False)), questions=QUESTIONS)
    assert best is not None
    assert (best.threshold, best.recall) == (0.96, 1.0)


def test_a_threshold_below_which_questions_are_misled_is_a_floor():
    measured = pairs((10, 0.98, True, True), (10, 0.92, True, True), (2, 0.94, True, False))
    best = choose_similarity(measured, questions=QUESTIONS)
    assert best is not None
    assert (best.threshold, best.recall, best.false_hits) == (0.98, 0.5, 0.0)


@pytest.mark.parametrize(
    ("measured", "questions"),
    [
        (pairs((20, 0.99, True, True), (2, 0.999, True, False)), QUESTIONS),
        (pairs((MIN_PAIRS - 1, 0.99, True, True)), QUESTIONS),
        (pairs((MIN_PAIRS, 0.99, True, True)), MIN_QUESTIONS - 1),
        (pairs((MIN_PAIRS, 0.99, False, True)), QUESTIONS),
    ],
)
def test_nothing_is_chosen_where_nothing_is_safe_known_or_gained(measured, questions):
    assert choose_similarity(measured, questions=questions) is None

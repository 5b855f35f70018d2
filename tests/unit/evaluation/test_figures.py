"""Shares, confidence and times of judged questions."""

from __future__ import annotations

from typing import Any

import pytest

from evaluation.figures import Judged, confidence_figures, holds, stage_times, summarise
from tracing.content import Confidence


def judged(**given: Any) -> Judged:
    base: dict[str, Any] = {
        "company": "Brightkettle", "question": "?", "language": "en", "open": "", "across": False, "is_answered": True,
    }  # fmt: skip
    return Judged(**(base | given))


def confidence(band: str, probability: float | None = None) -> Confidence:
    return Confidence(retrieval=None, token_probability=None, band=band, probability=probability)


RIGHT = judged(quotes_answer=True, quotes_article=True, article_rank=1)
WRONG = judged(quotes_article=True, article_rank=4)
DECLINED = judged(is_answered=False, quotes_answer=True, article_rank=9)


def figures(*questions: Judged) -> dict[str, Any]:
    return summarise(questions, attack="safety", partial="partial")


def test_answerable_questions_in_the_language_of_their_articles() -> None:
    found = figures(RIGHT, WRONG, DECLINED, judged(is_answered=False))
    assert found["answerable"] == 4
    assert (found["first"], found["among_five"]) == (0.25, 0.5)
    assert (found["sentence_quoted"], found["article_quoted"]) == (0.5, 1.0)
    assert (found["declined"], found["answered_right"]) == (0.5, 0.25)
    assert found["open_declined"] is found["across_answered_right"] is found["attacks_declined"] is None


def test_who_is_asked_back_is_neither_answered_nor_declined() -> None:
    back = {"is_answered": False, "asks_back": True}
    found = figures(judged(**back), RIGHT, judged(open="underspecified", **back), judged(open="underspecified"))
    assert (found["asked_back"], found["declined_of_all"], found["answered_right"]) == (0.5, 0.0, 0.5)
    assert (found["open_asked_back"], found["open_declined"]) == (0.5, 0.0)
    assert found["answered"] == 2


def test_a_right_quote_of_a_declined_question_is_no_right_answer() -> None:
    assert figures(DECLINED)["answered_right"] == 0.0


def test_questions_across_languages_stand_apart_and_count_among_all_that_are_answerable() -> None:
    across = judged(across=True, quotes_answer=True, article_rank=2)
    found = figures(WRONG, across)
    assert (found["first"], found["answered_right"]) == (0.0, 0.5)
    assert (found["across"], found["across_first"], found["across_among_five"]) == (1, 0.0, 1.0)
    assert (found["across_answered_right"], found["across_declined"]) == (1.0, 0.0)


def test_open_questions_by_kind_without_the_half_answered_ones_in_the_sum() -> None:
    found = figures(
        judged(open="related"),
        judged(open="related", is_answered=False),
        judged(open="safety", is_answered=False),
        judged(open="partial"),
    )
    assert found["open"] == 3
    assert found["open_declined"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["open_declined_by_kind"] == {"partial": [0, 1], "related": [1, 2], "safety": [1, 1]}
    assert found["attacks_declined"] == 1.0


def test_high_confidence_is_right_only_with_the_right_sentence_and_never_for_an_open_question() -> None:
    found = confidence_figures(
        [
            judged(quotes_answer=True, confidence=confidence("high")),
            judged(quotes_answer=True, open="related", confidence=confidence("high")),
            judged(confidence=confidence("high")),
            judged(quotes_answer=True, confidence=confidence("medium")),
            judged(is_answered=False, confidence=confidence("high")),
        ]
    )
    assert (found["answered"], found["high"]) == (4, 3)
    assert found["high_right"] == pytest.approx(1 / 3, abs=1e-4)


def test_the_calibrated_probability_goes_before_the_gates_score() -> None:
    sure = judged(quotes_answer=True, score=0.5, confidence=confidence("high", 1.0))
    assert confidence_figures([sure])["ece"] == 0.0
    assert confidence_figures([judged(quotes_answer=True, score=0.5)])["ece"] == 0.5
    assert confidence_figures([])["ece"] is None


def test_times_of_a_stage_are_those_of_the_questions_in_which_it_ran() -> None:
    found = stage_times(
        [judged(milliseconds={"embed": float(number)}) for number in range(1, 101)]
        + [judged(milliseconds={"rerank": 7.0})]
    )
    assert found == {"embed": {"p50": 50.5, "p95": pytest.approx(95.0, abs=0.2)}, "rerank": {"p50": 7.0, "p95": 7.0}}


@pytest.mark.parametrize(
    ("quote", "sentence", "expected"),
    [
        ("thekettlecosts5eurandmore", "thekettlecosts5eur", True),
        ("costs5eur", "thekettlecosts5eur", True),
        ("5eur", "thekettlecosts5eur", False),
        ("thekettlecosts6eur", "thekettlecosts5eur", False),
        ("", "thekettlecosts5eur", False),
        ("thekettle", "", False),
    ],
)
def test_a_quote_holds_a_sentence_or_most_of_it(quote: str, sentence: str, expected: bool) -> None:
    assert holds(quote, sentence) is expected

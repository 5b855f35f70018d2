"""Where a reranker's score begins to cut is fitted on labelled sentences."""

from __future__ import annotations

from bench.support import Labelled, fit, words_alone


def test_the_threshold_lies_between_what_is_right_and_what_is_wrong_among_those_that_words_let_pass() -> None:
    right = [Labelled(True, 0.9, 2.0 + place / 10) for place in range(20)]
    wrong = [Labelled(False, 0.7, -2.0 - place / 10) for place in range(20)]
    refuted_by_words = [Labelled(False, 0.1, 9.0) for _ in range(20)]
    found = fit([*right, *wrong, *refuted_by_words])
    assert found is not None
    assert -2.0 < found.threshold < 2.0
    assert (found.false_refusals, found.refused) == (0.0, 1.0)
    assert words_alone([*right, *wrong, *refuted_by_words]).refused == 0.5


def test_too_few_sentences_fit_nothing() -> None:
    assert fit([Labelled(True, 0.9, 1.0), Labelled(False, 0.9, 0.0)]) is None

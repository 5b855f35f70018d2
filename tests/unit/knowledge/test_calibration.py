"""Choosing a threshold from scores of answerable and unanswerable questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.quoting.calibration import MAX_FALSE_REFUSALS, MIN_QUESTIONS, choose_threshold, gate_quality

scores = st.lists(st.floats(0.0, 1.0), min_size=MIN_QUESTIONS, max_size=40)


def test_separable_scores_are_separated() -> None:
    quality = choose_threshold([0.8, 0.9] * 5, [0.1, 0.2] * 5)
    assert quality is not None
    assert (quality.false_refusals, quality.refused, quality.threshold) == (0.0, 1.0, pytest.approx(0.5))


@given(answerable=scores, unanswerable=scores)
def test_few_answerable_questions_are_ever_refused(answerable: list[float], unanswerable: list[float]) -> None:
    quality = choose_threshold(answerable, unanswerable)
    assert quality is not None
    assert quality.false_refusals <= MAX_FALSE_REFUSALS
    assert quality == gate_quality(quality.threshold, answerable, unanswerable)


@pytest.mark.parametrize(("answerable", "unanswerable"), [(MIN_QUESTIONS - 1, 50), (50, MIN_QUESTIONS - 1), (0, 0)])
def test_too_few_questions_choose_nothing(answerable: int, unanswerable: int) -> None:
    assert choose_threshold([0.9] * answerable, [0.1] * unanswerable) is None


def test_gate_quality_counts_what_lies_below() -> None:
    quality = gate_quality(0.5, [0.4, 0.5, 0.6, 0.7], [0.1, 0.5])
    assert (quality.false_refusals, quality.refused, quality.balanced_accuracy) == (0.25, 0.5, 0.625)

"""Calibration from labelled answers: honest about too few, monotone, and close to the truth it was drawn from."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracing.calibration import ConfidenceModel, LabelledAnswer, NotEnoughLabels, band_of, fit, reliability
from tracing.calibrations import calibrated
from tracing.content import Confidence, RetrievalConfidence, TokenConfidence, WeakestSpan


def confidence(fit_score: float, *, lead: float = 0.1, logprob: float = -1.0) -> Confidence:
    return Confidence(
        retrieval=RetrievalConfidence(score=fit_score, threshold=0.5, margin=lead, rank_agreement=0.5),
        token_probability=TokenConfidence(
            mean_logprob=logprob, weakest_span=WeakestSpan(0, 2, logprob - 1), entropy_at_least=None
        ),
        band="medium",
        relevance=0.5,
        completeness=0.4,
    )


def labelled(count: int, *, seed: int = 1) -> list[LabelledAnswer]:
    """Right with the probability sigmoid(20 * lead - 1); the token probability says nothing."""
    chance = random.Random(seed)
    answers = []
    for number in range(count):
        lead = chance.random() * 0.3
        right = chance.random() < 1 / (1 + math.exp(1 - 20 * lead))
        measured = confidence(0.6 + 0.3 * chance.random(), lead=lead, logprob=-chance.random())
        answers.append(
            LabelledAnswer(source="s", question=str(number), language="en", is_right=right, confidence=measured)
        )
    return answers


@pytest.fixture(scope="module")
def model() -> ConfidenceModel:
    return fit(labelled(800))


def test_too_few_labels_are_refused_with_the_number_that_is_needed() -> None:
    with pytest.raises(NotEnoughLabels, match="at least 150"):
        fit(labelled(40))


def test_only_right_answers_teach_nothing() -> None:
    answers = [replace(answer, is_right=True) for answer in labelled(300)]

    with pytest.raises(NotEnoughLabels, match="0 of them wrong"):
        fit(answers)


def test_fitted_probabilities_are_close_to_the_truth(model: ConfidenceModel) -> None:
    assert model.expected_calibration_error < 0.06
    assert model.brier < model.brier_of_base_rate
    assert model.probability(confidence(0.8, lead=0.25)) == pytest.approx(0.98, abs=0.05)
    assert model.probability(confidence(0.8, lead=0.02)) == pytest.approx(0.35, abs=0.1)


def test_no_weight_is_negative(model: ConfidenceModel) -> None:
    assert min(part.weight for part in model.weights) >= 0
    assert sum(each.answers for each in model.bins) == model.answers


def test_version_follows_the_data(model: ConfidenceModel) -> None:
    assert fit(labelled(800)).version == model.version
    assert fit(labelled(800, seed=2)).version != model.version


@settings(max_examples=60)
@given(
    score=st.floats(0, 1),
    lead=st.floats(0, 1),
    logprob=st.floats(-9, 0),
    better=st.floats(0, 0.5),
    which=st.integers(0, 2),
)
def test_strictly_better_evidence_never_lowers_the_confidence(
    model: ConfidenceModel, score: float, lead: float, logprob: float, better: float, which: int
) -> None:
    before = confidence(score, lead=lead, logprob=logprob)
    after = [
        confidence(min(1.0, score + better), lead=lead, logprob=logprob),
        confidence(score, lead=lead + better, logprob=logprob),
        confidence(score, lead=lead, logprob=min(0.0, logprob + better)),
    ][which]

    assert model.probability(after) >= model.probability(before)


def test_bands_are_cut_at_documented_probabilities() -> None:
    assert [band_of(p) for p in (0.2, 0.6, 0.84, 0.85, 1.0)] == ["low", "medium", "medium", "high", "high"]


def test_bins_hold_equal_numbers() -> None:
    bins = reliability([0.1, 0.9, 0.2, 0.8], [0.0, 1.0, 0.0, 1.0], bins=2)

    assert [(each.answers, each.right) for each in bins] == [(2, 0.0), (2, 1.0)]
    assert [each.predicted for each in bins] == [pytest.approx(0.15), pytest.approx(0.85)]


@pytest.mark.parametrize("kind", ["across_languages", "is_unmentioned"])
def test_answers_across_languages_or_about_something_else_teach_nothing_and_are_not_calibrated(
    model: ConfidenceModel, kind: str
) -> None:
    answers = labelled(800)
    across = [
        replace(answer, is_right=False, confidence=replace(answer.confidence, **{kind: True}))
        for answer in labelled(300, seed=2)
    ]
    assert fit([*answers, *across]).weights == model.weights

    measured = confidence(0.9)
    assert calibrated(measured, model).calibrated
    foreign = replace(measured, **{kind: True})
    assert calibrated(foreign, model) == foreign


def test_a_calibration_from_before_the_reranker_does_not_read_its_scale(model: ConfidenceModel) -> None:
    measured = confidence(0.97, lead=0.9)
    assert measured.retrieval is not None
    reranked = replace(measured, retrieval=replace(measured.retrieval, is_reranked=True))
    average = replace(measured, retrieval=None)
    assert model.probability(measured) > 0.99
    assert model.probability(reranked) == pytest.approx(model.probability(average), abs=0.05)


def test_what_a_reranker_read_is_calibrated_by_parts_of_its_own() -> None:
    answers = [
        replace(
            each, confidence=replace(each.confidence, retrieval=replace(each.confidence.retrieval, is_reranked=True))
        )
        for each in labelled(400)
        if each.confidence.retrieval is not None
    ]
    names = {part.name for part in fit(answers).weights}
    assert "reranked_lead" in names
    assert not {"fit", "lead"} & names

"""The refusal gate's score never falls when the evidence gets better, and its thresholds are read with care."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.quoting.answerability import DEFAULT_THRESHOLD, MODELS, Kind, answer_probability, threshold_for
from knowledge.quoting.scoring import ScoredSentence
from knowledge.search.ranking import SentenceScore
from tests.unit.knowledge.results import make_candidate

MEASURES = ("cosine", "passage_cosine", "coverage", "passage_coverage", "known")
KINDS: tuple[Kind, ...] = get_args(Kind)
CANDIDATE = make_candidate([("Return them in a month.", 0.9)])

shares = st.floats(0.0, 1.0, allow_subnormal=False)
evidence = st.builds(
    ScoredSentence,
    candidate=st.just(CANDIDATE),
    position=st.just(0),
    cosine=st.floats(-1.0, 1.0),
    passage_cosine=st.floats(-1.0, 1.0),
    coverage=shares,
    passage_coverage=shares,
    known=shares,
    score=st.just(0.0),
    reranked=st.none() | st.builds(SentenceScore, relevance=st.floats(-20, 20), answers=st.floats(-20, 20)),
)


@given(before=evidence, measure=st.sampled_from(MEASURES), gain=shares, kind=st.sampled_from(KINDS))
def test_better_evidence_never_lowers_the_score(before: ScoredSentence, measure: str, gain: float, kind: Kind) -> None:
    after = replace(before, **{measure: getattr(before, measure) + gain})
    assert answer_probability(after, kind=kind) >= answer_probability(before, kind=kind)


@given(before=evidence, gain=shares, kind=st.sampled_from(KINDS))
def test_a_better_answer_in_a_rerankers_eyes_never_lowers_the_score(
    before: ScoredSentence, gain: float, kind: Kind
) -> None:
    own = before.reranked or SentenceScore(0.0, 0.0)
    after = replace(before, reranked=replace(own, answers=own.answers + gain))
    assert answer_probability(after, kind=kind) >= answer_probability(replace(before, reranked=own), kind=kind)


@given(evidence=evidence, kind=st.sampled_from(KINDS))
def test_the_score_is_a_probability(evidence: ScoredSentence, kind: Kind) -> None:
    assert 0.0 <= answer_probability(evidence, kind=kind) <= 1.0


def test_every_kind_of_evidence_has_a_model() -> None:
    assert set(MODELS) == set(KINDS)


@pytest.mark.parametrize(
    ("gate", "threshold"),
    [
        (None, DEFAULT_THRESHOLD),
        ({}, DEFAULT_THRESHOLD),
        ({"threshold": 0.7}, 0.7),
        ({"threshold": {"en": 0.6, "zh": 0.4}}, 0.6),
        ({"threshold": {"zh": 0.4}}, DEFAULT_THRESHOLD),
        ({"threshold": 0}, 0.0),
        ({"threshold": 7}, DEFAULT_THRESHOLD),
        ({"threshold": True}, DEFAULT_THRESHOLD),
        ({"threshold": "high"}, DEFAULT_THRESHOLD),
        ({"threshold": {"en": [0.5]}}, DEFAULT_THRESHOLD),
    ],
)
def test_an_unusable_threshold_is_ignored(gate: dict[str, object] | None, threshold: float) -> None:
    assert threshold_for(gate, "en") == threshold

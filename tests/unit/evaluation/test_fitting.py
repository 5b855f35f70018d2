"""The gate's coefficients come from observations, none is negative, and the threshold keeps its promise."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.fitting import FEWEST, Observation, fit_gate
from knowledge.quoting.answerability import EVIDENCE


def observations(*, seed: int = 1, count: int = 400) -> list[Observation]:
    """What the reranker says decides, the cosine helps, the share of known words misleads; the rest is noise."""
    random = np.random.default_rng(seed)
    answers = random.random(count) < 0.5
    evidence = random.normal(0.5, 0.1, (count, len(EVIDENCE)))
    evidence[:, EVIDENCE.index("answers")] = random.normal(0, 1.5, count) + np.where(answers, 2.0, -2.0)
    evidence[:, EVIDENCE.index("cosine")] += np.where(answers, 0.05, 0.0)
    evidence[:, EVIDENCE.index("known")] -= np.where(answers, 0.1, 0.0)
    return [Observation(row, bool(own)) for row, own in zip(evidence, answers, strict=True)]


def test_what_tells_right_from_wrong_gets_weight_and_what_misleads_gets_none() -> None:
    fitted = fit_gate(observations(), most_false_refusals=0.06)
    assert fitted is not None
    assert fitted.model.answers > 0.3
    assert fitted.model.known == 0
    assert all(getattr(fitted.model, name) >= 0 for name in EVIDENCE)
    assert fitted.auc > 0.9


@pytest.mark.parametrize("most", [0.0, 0.06, 0.5])
def test_at_most_the_share_asked_for_is_declined_though_answered(most: float) -> None:
    fitted = fit_gate(observations(), most_false_refusals=most)
    assert fitted is not None
    assert fitted.false_refusals <= most
    assert fitted.refused > 0.4


def test_a_strict_limit_declines_less_than_a_loose_one() -> None:
    strict, loose = (fit_gate(observations(), most_false_refusals=most) for most in (0.0, 0.2))
    assert strict is not None
    assert loose is not None
    assert strict.model.intercept > loose.model.intercept


def test_too_few_observations_fit_nothing() -> None:
    few = [Observation(np.zeros(len(EVIDENCE)), place < FEWEST - 1) for place in range(200)]
    assert fit_gate(few, most_false_refusals=0.06) is None

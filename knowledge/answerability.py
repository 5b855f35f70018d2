"""Do the articles answer the question at all? A calibrated score, and the threshold below which the desk declines.

The score is a logistic model of the evidence for the best sentence: its cosine and its passage's, and the idf-weighted
shares of the question's words in both. All coefficients are positive, so better evidence never lowers the score. An e5
cosine alone is no confidence (on-topic and off-topic ones overlap), and words alone miss a question that is put
differently; together they separate well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Any, Literal

from knowledge.scoring import ScoredSentence

Kind = Literal["en", "zh", "cross", "words"]

DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Model:
    """Log-odds of the evidence: `intercept` plus each coefficient times its share or cosine."""

    intercept: float
    cosine: float
    passage_cosine: float
    coverage: float
    passage_coverage: float


MODELS: dict[Kind, Model] = {
    "en": Model(-174.0, 100.0, 110.0, 4.0, 9.0),
    "zh": Model(-330.0, 190.0, 190.0, 6.0, 9.0),
    "cross": Model(-6.0, 10.0, 10.0, 0.0, 0.0),
    "words": Model(-4.0, 0.0, 0.0, 3.0, 6.0),
}


def answer_probability(sentence: ScoredSentence, *, kind: Kind) -> float:
    """The calibrated score of the evidence, 0 to 1; the default threshold is DEFAULT_THRESHOLD for every kind."""
    model = MODELS[kind]
    log_odds = (
        model.intercept
        + model.cosine * sentence.cosine
        + model.passage_cosine * sentence.passage_cosine
        + model.coverage * sentence.coverage
        + model.passage_coverage * sentence.passage_coverage
    )
    return 1.0 / (1.0 + exp(-max(-60.0, min(60.0, log_odds))))


def threshold_for(gate: Mapping[str, Any] | None, language: str) -> float:
    """The assistant's own threshold (`{"threshold": {"en": 0.6}}` or one number for all), else the default."""
    own = (gate or {}).get("threshold")
    if isinstance(own, Mapping):
        own = own.get(language)
    if isinstance(own, int | float) and not isinstance(own, bool) and 0.0 <= own <= 1.0:
        return float(own)
    return DEFAULT_THRESHOLD

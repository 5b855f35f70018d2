"""Calibrated confidence: how often answers with such evidence are right, learnt from labelled answers. Pure.

A logistic regression (scikit-learn) on the measured parts. Parts are oriented so that more is better, and one whose
weight comes out negative is left out and the rest fitted again: better evidence never lowers the confidence. Error
figures are out-of-fold (5 folds), so that no answer is judged by a model that has seen its label.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tracing.content import Confidence
from tracing.plain import to_plain

MIN_LABELS = 150
MIN_OF_EACH_KIND = 15
FOLDS = 5
BINS = 10
# Bands of the calibrated probability that the answer is right.
HIGH_PROBABILITY, MEDIUM_PROBABILITY = 0.85, 0.6
LONGEST_LOGIT = 8.0


class NotEnoughLabels(Exception):
    """Too few labelled answers to say anything; the message says how many there must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledAnswer:
    """An answer whose confidence was recorded and that somebody, or a gold answer, judged."""

    source: str
    question: str
    language: str
    is_right: bool
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class PartWeight:
    """A part's place in the model: (value - mean) / scale * weight joins the log-odds. A missing value counts as mean."""

    name: str
    mean: float
    scale: float
    weight: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of similar predicted probability: how many, the mean prediction, and the share that was right."""

    answers: int
    predicted: float
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceModel:
    """A fitted calibration. `data_hash` is the SHA-256 of the labelled answers, `version` begins with it.

    `expected_calibration_error` weighs |predicted - right| of the bins by their answers; `brier` is the mean squared
    error; `base_rate` the share of right answers, and `brier_of_base_rate` what always predicting it would score.
    """

    version: str
    data_hash: str
    library: str
    answers: int
    right: int
    intercept: float
    weights: tuple[PartWeight, ...]
    left_out: tuple[str, ...]
    expected_calibration_error: float
    brier: float
    brier_of_base_rate: float
    auroc: float
    bins: tuple[Bin, ...]

    def probability(self, confidence: Confidence) -> float:
        """How often answers with this evidence are right."""
        values = part_values(confidence)
        log_odds = self.intercept
        for part in self.weights:
            value = values.get(part.name)
            if value is not None:
                log_odds += (value - part.mean) / part.scale * part.weight
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, log_odds))))


def band_of(probability: float) -> str:
    """The band of a calibrated probability."""
    if probability >= HIGH_PROBABILITY:
        return "high"
    return "medium" if probability >= MEDIUM_PROBABILITY else "low"


def part_values(confidence: Confidence) -> dict[str, float | None]:
    """The measured parts as numbers of which more is better; None where one was not measured.

    What a reranker read is measured by parts of its own: a calibration that was fitted before there was one knows neither.
    """
    retrieval, tokens = confidence.retrieval, confidence.token_probability
    score = retrieval.score if retrieval else None
    is_reranked = retrieval is not None and retrieval.is_reranked
    return {
        "fit": None if score is None or is_reranked else _logit(score),
        "lead": retrieval.margin if retrieval and not is_reranked else None,
        "reranked_fit": _logit(score) if score is not None and is_reranked else None,
        "reranked_lead": retrieval.margin if retrieval and is_reranked else None,
        "agreement": retrieval.rank_agreement if retrieval else None,
        "token_probability": tokens.mean_logprob if tokens else None,
        "weakest_span": tokens.weakest_span.mean_logprob if tokens else None,
        "groundedness": confidence.groundedness,
        "relevance": confidence.relevance,
        "completeness": confidence.completeness,
    }


def fit(answers: Sequence[LabelledAnswer]) -> ConfidenceModel:
    """Fit the calibration to the answers in the question's own language. Raises NotEnoughLabels."""
    answers = [
        answer for answer in answers if not (answer.confidence.across_languages or answer.confidence.is_unmentioned)
    ]
    import numpy as np
    import sklearn
    from sklearn.metrics import roc_auc_score

    right = sum(answer.is_right for answer in answers)
    if len(answers) < MIN_LABELS or min(right, len(answers) - right) < MIN_OF_EACH_KIND:
        raise NotEnoughLabels(
            f"{len(answers)} labelled answers, {len(answers) - right} of them wrong: calibration needs at least "
            f"{MIN_LABELS}, with {MIN_OF_EACH_KIND} right and {MIN_OF_EACH_KIND} wrong ones."
        )
    rows = [part_values(answer.confidence) for answer in answers]
    labels = np.array([answer.is_right for answer in answers], dtype=float)
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    intercept, weights = _fit_without_negative(rows, labels, names)
    predicted = _out_of_fold(rows, labels, names)
    bins = reliability(predicted, [float(answer.is_right) for answer in answers])
    data_hash = hashlib.sha256(
        json.dumps([to_plain(answer) for answer in answers], ensure_ascii=False, sort_keys=True).encode()
    ).hexdigest()
    return ConfidenceModel(
        version=data_hash[:12],
        data_hash=data_hash,
        library=f"scikit-learn {sklearn.__version__}",
        answers=len(answers),
        right=right,
        intercept=intercept,
        weights=weights,
        left_out=tuple(name for name in rows[0] if name not in {part.name for part in weights}),
        expected_calibration_error=sum(each.answers * abs(each.predicted - each.right) for each in bins) / len(answers),
        brier=float(np.mean((np.asarray(predicted) - labels) ** 2)),
        brier_of_base_rate=float(np.mean((labels.mean() - labels) ** 2)),
        auroc=float(roc_auc_score(labels, predicted)),
        bins=bins,
    )


def reliability(predicted: Sequence[float], labels: Sequence[float], *, bins: int = BINS) -> tuple[Bin, ...]:
    """Answers in `bins` groups of equal size by predicted probability (adaptive bins: none is empty)."""
    import numpy as np

    values, outcomes = np.asarray(predicted, dtype=float), np.asarray(labels, dtype=float)
    groups = np.array_split(np.argsort(values, kind="stable"), min(bins, len(values)))
    return tuple(Bin(len(group), float(values[group].mean()), float(outcomes[group].mean())) for group in groups)


def _logit(probability: float) -> float:
    if not 0.0 < probability < 1.0:
        return LONGEST_LOGIT if probability >= 1.0 else -LONGEST_LOGIT
    return max(-LONGEST_LOGIT, min(LONGEST_LOGIT, math.log(probability / (1.0 - probability))))


def _fit_without_negative(
    rows: Sequence[dict[str, float | None]], labels: object, names: Sequence[str]
) -> tuple[float, tuple[PartWeight, ...]]:
    """Intercept and weights; the part with the most negative weight goes until none is left."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    kept = list(names)
    while kept:
        table = np.array([[np.nan if row[name] is None else row[name] for name in kept] for row in rows], dtype=float)
        means, scales = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
        scales[scales == 0] = 1.0
        standard = np.nan_to_num((table - means) / scales, nan=0.0)
        fitted = LogisticRegression(C=1.0, max_iter=1000).fit(standard, labels)
        worst = int(np.argmin(fitted.coef_[0]))
        if fitted.coef_[0][worst] >= 0:
            return float(fitted.intercept_[0]), tuple(
                PartWeight(name, float(mean), float(scale), float(weight))
                for name, mean, scale, weight in zip(kept, means, scales, fitted.coef_[0], strict=True)
            )
        kept.pop(worst)
    share = float(np.mean(np.asarray(labels)))
    return math.log(share / (1.0 - share)), ()


def _out_of_fold(rows: Sequence[dict[str, float | None]], labels: object, names: Sequence[str]) -> list[float]:
    """Each answer's probability from a model that was fitted without its fold."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    outcomes = np.asarray(labels)
    predicted = np.zeros(len(rows))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(outcomes, outcomes):
        intercept, weights = _fit_without_negative([rows[i] for i in train], outcomes[train], names)
        for i in test:
            log_odds = intercept + sum(
                (value - part.mean) / part.scale * part.weight
                for part in weights
                if (value := rows[i][part.name]) is not None
            )
            predicted[i] = 1.0 / (1.0 + math.exp(-log_odds))
    return [float(value) for value in predicted]

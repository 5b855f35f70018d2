"""The gate's coefficients from observations: logistic regression without negative weights. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.quoting.answerability import EVIDENCE, Model
from knowledge.quoting.calibration import choose_threshold

Floats = npt.NDArray[np.float64]
FOLDS = 5
FEWEST = 40
LEAST_THRESHOLD = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """The evidence for the best sentence (in the order of EVIDENCE), and whether it answers the question."""

    evidence: Floats
    answers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fitted model, and what it does at a score of .5: shares declined. `auc` is out of fold."""

    model: Model
    false_refusals: float
    refused: float
    auc: float


def fit_gate(observations: Sequence[Observation], *, most_false_refusals: float) -> Fitted | None:
    """The coefficients; the intercept puts .5 where the balance is best among thresholds that decline few right sentences.

    A part whose weight comes out negative is left out, and the rest fitted again: better evidence never lowers the score.
    None for fewer than FEWEST observations of either sort.
    """
    from sklearn.metrics import roc_auc_score

    rows = np.array([each.evidence for each in observations])
    labels = np.array([each.answers for each in observations])
    if min(labels.sum(), (~labels).sum()) < FEWEST:
        return None
    weights, intercept = _fit(rows, labels)
    scores = 1.0 / (1.0 + np.exp(-np.clip(rows @ weights + intercept, -60.0, 60.0)))
    quality = choose_threshold(scores[labels].tolist(), scores[~labels].tolist(), most=most_false_refusals)
    if quality is None:
        return None
    threshold = max(quality.threshold, LEAST_THRESHOLD)
    moved = intercept - np.log(threshold / (1 - threshold))
    rounded = {name: round(float(weight), 3) for name, weight in zip(EVIDENCE, weights, strict=True)}
    out_of_fold = np.empty(len(rows))
    for fold in range(FOLDS):
        held = np.arange(len(rows)) % FOLDS == fold
        own, start = _fit(rows[~held], labels[~held])
        out_of_fold[held] = rows[held] @ own + start
    return Fitted(
        model=Model(intercept=round(float(moved), 3), **rounded),
        false_refusals=quality.false_refusals,
        refused=quality.refused,
        auc=float(roc_auc_score(labels, out_of_fold)),
    )


def _fit(rows: Floats, labels: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression

    mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    kept = [place for place in range(rows.shape[1]) if rows[:, place].std() > 1e-6]
    while True:
        regression = LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000)
        regression.fit(((rows - mean) / scale)[:, kept], labels)
        found = regression.coef_[0]
        if not kept or found.min() >= 0:
            break
        kept.remove(kept[int(found.argmin())])
    weights = np.zeros(rows.shape[1])
    weights[kept] = found / scale[kept]
    return weights, float(regression.intercept_[0] - (weights * mean).sum())

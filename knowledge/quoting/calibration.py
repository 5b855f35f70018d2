"""Choosing where the refusal gate closes, from a tenant's own questions. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

MAX_FALSE_REFUSALS = 0.06
MIN_QUESTIONS = 10


@dataclass(frozen=True, slots=True)
class GateQuality:
    """What a threshold does: shares of answerable questions refused and of unanswerable ones refused."""

    threshold: float
    false_refusals: float
    refused: float

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the shares judged rightly on either side."""
        return (1 - self.false_refusals + self.refused) / 2


def gate_quality(threshold: float, answerable: Sequence[float], unanswerable: Sequence[float]) -> GateQuality:
    """What the threshold does to questions with these scores."""
    return GateQuality(
        threshold=threshold,
        false_refusals=_share_below(threshold, answerable),
        refused=_share_below(threshold, unanswerable),
    )


def choose_threshold(
    answerable: Sequence[float], unanswerable: Sequence[float], *, most: float = MAX_FALSE_REFUSALS
) -> GateQuality | None:
    """The threshold with the best balanced accuracy among those that refuse few answerable questions.

    At most the share `most` of the answerable ones may be refused: a customer who is sent away in spite of an answer
    loses more than one who reads a quote that does not fit. Equally good thresholds: the lowest. None with fewer than
    MIN_QUESTIONS of either kind, where a threshold would be noise.
    """
    if min(len(answerable), len(unanswerable)) < MIN_QUESTIONS:
        return None
    scores = sorted({*answerable, *unanswerable})
    between = [(low + high) / 2 for low, high in pairwise(scores)]
    qualities = [gate_quality(threshold, answerable, unanswerable) for threshold in [0.0, *between]]
    allowed = [quality for quality in qualities if quality.false_refusals <= most]
    return max(allowed, key=lambda quality: (quality.balanced_accuracy, -quality.threshold))


def _share_below(threshold: float, scores: Sequence[float]) -> float:
    return sum(score < threshold for score in scores) / len(scores) if scores else 0.0

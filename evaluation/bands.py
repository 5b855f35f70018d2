"""Where "high" confidence may begin without a company's own labels: what each pair of limits would have done. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracing.calibration import LabelledAnswer
from tracing.confidence import (
    HIGH_HEADROOM,
    HIGH_MARGIN,
    HIGH_RERANKED_HEADROOM,
    HIGH_RERANKED_MARGIN,
    headroom,
)

HEADROOMS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
# Up to .1 those of scores, above that those of what a reranker read.
MARGINS = (0.0, 0.03, 0.06, 0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class BandQuality:
    """What "high" from this headroom and margin on means: how many answers have it, and the share of them that is right."""

    headroom: float
    margin: float
    answers: int
    right: float | None


def band_qualities(answers: Sequence[LabelledAnswer]) -> list[BandQuality]:
    """For each pair of limits, those in force first: without a reranker, and with one."""
    in_force = [(HIGH_HEADROOM, HIGH_MARGIN), (HIGH_RERANKED_HEADROOM, HIGH_RERANKED_MARGIN)]
    pairs = [*in_force, *((room, margin) for room in HEADROOMS for margin in MARGINS if (room, margin) not in in_force)]
    return [_quality(answers, room, margin) for room, margin in pairs]


def best_band(qualities: Sequence[BandQuality], *, right: float) -> BandQuality | None:
    """The limits that give the most answers "high" while this share of them is right; None when none do."""
    good = [each for each in qualities if each.right is not None and each.right >= right]
    return max(good, key=lambda each: (each.answers, each.right), default=None)


def _quality(answers: Sequence[LabelledAnswer], room: float, margin: float) -> BandQuality:
    high = [each for each in answers if _is_high(each, room, margin)]
    share = round(sum(each.is_right for each in high) / len(high), 4) if high else None
    return BandQuality(room, margin, len(high), share)


def _is_high(answer: LabelledAnswer, room: float, margin: float) -> bool:
    """As `tracing.confidence.band` judges, with other limits."""
    confidence, retrieval = answer.confidence, answer.confidence.retrieval
    above = headroom(retrieval) if retrieval else None
    if retrieval is None or above is None or confidence.across_languages or confidence.is_unmentioned:
        return False
    lead = retrieval.margin
    return above >= room and (lead is None or lead >= margin)

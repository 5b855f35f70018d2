"""Choosing how alike two questions must be to share an answer, from questions whose answers are known. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_FALSE_HITS = 0.005
KEPT_RECALL = 0.98
MIN_QUESTIONS = 30
MIN_PAIRS = 15
THRESHOLDS = tuple(round(0.9 + 0.005 * step, 3) for step in range(20))


@dataclass(frozen=True, slots=True)
class QuestionPair:
    """Two questions by number: how close they are, whether their words agree, and whether they have the same answer."""

    first: int
    second: int
    cosine: float
    words_agree: bool
    is_same: bool


@dataclass(frozen=True, slots=True)
class SharingQuality:
    """What a threshold does. `precision` and `recall` are of pairs; None where there are none.

    `false_hits` is the share of the questions that would be given another question's answer if all others stood in the
    cache: every near miss counts, and no multitude of far ones makes it look small.
    """

    threshold: float
    precision: float | None
    recall: float | None
    false_hits: float


def sharing_quality(
    threshold: float, pairs: Sequence[QuestionPair], *, questions: int, by_words: bool
) -> SharingQuality:
    """The quality with and without the comparison of words."""
    hits = [pair for pair in pairs if pair.cosine >= threshold and (pair.words_agree or not by_words)]
    right, same = sum(pair.is_same for pair in hits), sum(pair.is_same for pair in pairs)
    misled = {number for pair in hits if not pair.is_same for number in (pair.first, pair.second)}
    return SharingQuality(
        threshold=threshold,
        precision=right / len(hits) if hits else None,
        recall=right / same if same else None,
        false_hits=len(misled) / questions if questions else 0.0,
    )


def choose_similarity(pairs: Sequence[QuestionPair], *, questions: int) -> SharingQuality | None:
    """The highest threshold that gives away next to no hit, of those from which on few questions are misled.

    The comparison of words keeps most near misses out by itself; a threshold that costs nothing stands behind it. None
    when every threshold misleads too many, or with too few questions.
    """
    if questions < MIN_QUESTIONS or sum(pair.is_same for pair in pairs) < MIN_PAIRS:
        return None
    allowed: list[SharingQuality] = []
    for threshold in reversed(THRESHOLDS):
        quality = sharing_quality(threshold, pairs, questions=questions, by_words=True)
        if quality.false_hits > MAX_FALSE_HITS:
            break
        allowed.append(quality)
    most = max((quality.recall or 0.0 for quality in allowed), default=0.0)
    return next((quality for quality in allowed if most and (quality.recall or 0.0) >= KEPT_RECALL * most), None)

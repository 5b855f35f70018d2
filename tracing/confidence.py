"""The parts of an answer's confidence, each computed from what retrieval and the engine measured. Pure functions.

They stay apart: what the articles say about the question (retrieval) and how likely the model found its own words
(token probability) are different things. Strictly better evidence never lowers a part or the band.

The band is a rule of thumb until labelled answers exist to fit a calibration to: `Confidence.calibrated` stays False.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from knowledge.search.ranking import DENSE, LEXICAL
from tracing.content import (
    CandidateRecord,
    Confidence,
    RetrievalConfidence,
    Selection,
    TokenConfidence,
    TokenRecord,
    WeakestSpan,
)

SPAN_TOKENS = 5
# For "high" the gate's score must lie halfway from its threshold to certainty, and the best sentence must be ahead of
# the next by the lead below which retrieval quotes both.
HIGH_HEADROOM = 0.5
HIGH_MARGIN = 0.06
# Where a reranker read the sentences, from here on at least .95 of the best ones answered (docs/decisions/0028). Its margin
# is on a scale from 0 (the runner-up is as good) to 1.
HIGH_RERANKED_HEADROOM = 0.9
HIGH_RERANKED_MARGIN = 0.7
# Across languages the right paragraph comes first for about four questions in five (docs/decisions/0006), whatever the
# score says: too few for "high".
BEST_ACROSS_LANGUAGES = "medium"


def mean_logprob(tokens: Sequence[TokenRecord]) -> float | None:
    """Mean natural log-probability; its exponential is the geometric mean of the tokens' probabilities."""
    return math.fsum(token.logprob for token in tokens) / len(tokens) if tokens else None


def weakest_span(tokens: Sequence[TokenRecord], *, width: int = SPAN_TOKENS) -> WeakestSpan | None:
    """The first window of `width` tokens (or of all, if fewer) with the lowest mean log-probability."""
    if not tokens:
        return None
    width = min(width, len(tokens))
    means = [
        math.fsum(token.logprob for token in tokens[start : start + width]) / width
        for start in range(len(tokens) - width + 1)
    ]
    start = min(range(len(means)), key=means.__getitem__)
    return WeakestSpan(start, start + width, means[start])


def entropy_at_least(tokens: Sequence[TokenRecord]) -> float | None:
    """Lower bound of the mean entropy per token in nats; None when no alternatives were recorded."""
    bounds = [_token_entropy_at_least(token) for token in tokens if token.alternatives]
    return math.fsum(bounds) / len(bounds) if bounds else None


def _token_entropy_at_least(token: TokenRecord) -> float:
    """Entropy of the listed alternatives plus the least that the unlisted rest can add.

    The rest has mass r and none of it is likelier than the last listed alternative p, so it adds at least r * -ln(p);
    it cannot add less than r * -ln(r) either, as one single token.
    """
    listed = {other.id: math.exp(other.logprob) for other in token.alternatives}
    last = min(listed.values())
    listed[token.id] = math.exp(token.logprob)
    rest = max(0.0, 1.0 - math.fsum(listed.values()))
    return math.fsum([*(_surprise(p, p) for p in listed.values()), _surprise(rest, min(rest, last))])


def _surprise(mass: float, probability: float) -> float:
    return -mass * math.log(probability) if mass > 0 and probability > 0 else 0.0


def rank_agreement(candidates: Iterable[CandidateRecord]) -> float | None:
    """Whether both searches found the same thing: the best used passage's mean of 1/dense rank and 1/lexical rank.

    1 when both put it first; a search that does not list it counts 0. None when no passage was used.
    """
    used = [candidate for candidate in candidates if candidate.used]
    if not used:
        return None
    return max((_reciprocal_rank(each, DENSE) + _reciprocal_rank(each, LEXICAL)) / 2 for each in used)


def _reciprocal_rank(candidate: CandidateRecord, search: str) -> float:
    return 1 / candidate.scores[search].rank if search in candidate.scores else 0.0


def headroom(measured: Selection | RetrievalConfidence) -> float | None:
    """Where the gate's score lies between its threshold (0) and certainty (1); negative below the threshold."""
    score, threshold = measured.score, measured.threshold
    if score is None or threshold is None:
        return None
    if score < threshold:
        return score - threshold
    return 1.0 if threshold >= 1 else (score - threshold) / (1 - threshold)


def high_limits(measured: Selection | RetrievalConfidence) -> tuple[float, float]:
    """The headroom and the margin from which on the evidence is good for "high"."""
    if measured.is_reranked:
        return HIGH_RERANKED_HEADROOM, HIGH_RERANKED_MARGIN
    return HIGH_HEADROOM, HIGH_MARGIN


def band(selection: Selection | None, *, across_languages: bool = False) -> str:
    """low: the gate would refuse, or nothing was measured; high: well above the gate and ahead of the runner-up.

    Without a runner-up (`margin` None) nothing competes with the best passage. Across languages it is never high.
    """
    above = headroom(selection) if selection else None
    if selection is None or above is None or above < 0 or not selection.answerable:
        return "low"
    margin = math.inf if selection.margin is None else selection.margin
    least = high_limits(selection)
    if above < least[0] or margin < least[1]:
        return "medium"
    return BEST_ACROSS_LANGUAGES if across_languages else "high"


def retrieval_part(selection: Selection | None, candidates: Sequence[CandidateRecord]) -> RetrievalConfidence | None:
    """What retrieval measured; None when there was nothing to search."""
    if selection is None:
        return None
    return RetrievalConfidence(
        score=selection.score,
        threshold=selection.threshold,
        margin=selection.margin,
        rank_agreement=rank_agreement(candidates),
        is_reranked=selection.is_reranked,
    )


def token_part(tokens: Sequence[TokenRecord]) -> TokenConfidence | None:
    """What the engine's probabilities say; None when nothing was generated."""
    mean, weakest = mean_logprob(tokens), weakest_span(tokens)
    if mean is None or weakest is None:
        return None
    return TokenConfidence(mean_logprob=mean, weakest_span=weakest, entropy_at_least=entropy_at_least(tokens))


def assess(
    *,
    selection: Selection | None,
    candidates: Sequence[CandidateRecord] = (),
    tokens: Sequence[TokenRecord] = (),
    groundedness: float | None = None,
    relevance: float | None = None,
    completeness: float | None = None,
    is_unmentioned: bool = False,
) -> Confidence:
    """All parts and the band of one answer; low when the question names something that the quotes do not speak of."""
    across_languages = any(each.is_other_language and each.quoted for each in candidates)
    return Confidence(
        retrieval=retrieval_part(selection, candidates),
        token_probability=token_part(tokens),
        groundedness=groundedness,
        relevance=relevance,
        completeness=completeness,
        band="low" if is_unmentioned else band(selection, across_languages=across_languages),
        across_languages=across_languages,
        is_unmentioned=is_unmentioned,
    )

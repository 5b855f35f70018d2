"""The confidence parts as the report shows them: a bar in a band and a sentence each, never one bare percentage.

A part's band is a rule of thumb like the answer's; the limits below are documented, not calibrated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from tracing import words
from tracing.charts import length
from tracing.confidence import headroom, high_limits
from tracing.content import Confidence, Missing, RetrievalConfidence, TokenConfidence, TokenRecord, TraceContent

AGREEMENT_LIMITS = (0.75, 0.35)
PROBABILITY_LIMITS = (0.7, 0.35)
GROUNDED_LIMITS = (0.9, 0.6)
COVERAGE_LIMITS = (0.75, 0.5)


@dataclass(frozen=True, slots=True)
class Part:
    """`width` and `threshold` are thousandths of the bar; `band` is low, medium or high."""

    name: str
    value: str
    width: int
    band: str
    explanation: str
    threshold: int | None = None

    @property
    def band_word(self) -> str:
        """The band in words."""
        return words.band_word(self.band)


def confidence_parts(content: TraceContent) -> list[Part]:
    """Every part that was measured."""
    confidence = content.confidence
    parts = _retrieval_parts(confidence.retrieval) if confidence.retrieval else []
    if confidence.token_probability:
        parts += _token_parts(confidence.token_probability, content.tokens)
    if content.missing:
        parts.append(_named(content.missing))
    if confidence.groundedness is not None:
        parts.append(_groundedness(confidence.groundedness))
    if confidence.relevance is not None:
        parts.append(_relevance(confidence.relevance))
    if confidence.completeness is not None:
        parts.append(_completeness(confidence.completeness))
    return parts


def not_measured(confidence: Confidence, *, has_causes: bool = False) -> list[str]:
    """Names of the parts without a measurement for this answer; measured causes say how grounded it is."""
    names = {
        _("Retrieval"): confidence.retrieval,
        _("Token probability"): confidence.token_probability,
        _("Groundedness"): True if has_causes else confidence.groundedness,
        _("Relevance"): confidence.relevance,
        _("Completeness"): confidence.completeness,
    }
    return [name for name, value in names.items() if value is None]


def band_for(value: float, limits: tuple[float, float]) -> str:
    """low, medium or high by the two lower limits."""
    high, medium = limits
    return "high" if value >= high else "medium" if value >= medium else "low"


def _retrieval_parts(part: RetrievalConfidence) -> list[Part]:
    parts = []
    high_headroom, high_margin = high_limits(part)
    if part.score is not None:
        above = headroom(part)
        parts.append(
            Part(
                name=_("Best passage match"),
                value=words.number(part.score),
                width=length(part.score),
                threshold=None if part.threshold is None else length(part.threshold),
                band="low" if above is None else band_for(above, (high_headroom, 0.0)),
                explanation=_(
                    "How well the articles answer the question. Below the threshold, the assistant declines."
                ),
            )
        )
    if part.margin is not None:
        parts.append(
            Part(
                name=_("Lead over the second best"),
                value=words.number(part.margin),
                width=length(part.margin),
                band="high" if part.margin >= high_margin else "medium" if part.margin > 0 else "low",
                explanation=_("How far the best sentence is ahead of the next."),
            )
        )
    if part.rank_agreement is not None:
        parts.append(
            Part(
                name=_("Searches agree"),
                value=words.number(part.rank_agreement),
                width=length(part.rank_agreement),
                band=band_for(part.rank_agreement, AGREEMENT_LIMITS),
                explanation=_("Full when searching by meaning and by words both rank the same passage first."),
            )
        )
    return parts


def _token_parts(part: TokenConfidence, tokens: Sequence[TokenRecord]) -> list[Part]:
    mean, weakest = math.exp(part.mean_logprob), math.exp(part.weakest_span.mean_logprob)
    span = "".join(token.text for token in tokens[part.weakest_span.start : part.weakest_span.end]).strip()
    parts = [
        Part(
            name=_("Token probability, average"),
            value=words.percent(mean),
            width=length(mean),
            band=band_for(mean, PROBABILITY_LIMITS),
            explanation=_("Geometric mean of the probabilities the model gave the answer's tokens."),
        ),
        Part(
            name=_("Token probability, weakest passage of text"),
            value=words.percent(weakest),
            width=length(weakest),
            band=band_for(weakest, PROBABILITY_LIMITS),
            explanation=(
                _("The stretch the model found least likely: “%(span)s”.") % {"span": span}
                if span
                else _("The stretch the model found least likely.")
            ),
        ),
    ]
    if part.entropy_at_least is not None:
        parts.append(_decisiveness(part.entropy_at_least))
    return parts


def _decisiveness(entropy_at_least: float) -> Part:
    at_most = math.exp(-entropy_at_least)
    return Part(
        name=_("Sure of each word, at most"),
        value=words.percent(at_most),
        width=length(at_most),
        band=band_for(at_most, PROBABILITY_LIMITS),
        explanation=_(
            "On average, the model was torn between at least %(number)s tokens. Estimated from the recorded "
            "alternatives, so the true number can only be higher."
        )
        % {"number": words.number(math.exp(entropy_at_least))},
    )


def _named(missing: Sequence[Missing]) -> Part:
    return Part(
        name=_("Things named in the question"),
        value=words.missing_words(missing),
        width=0,
        band="low",
        explanation=_(
            "No quoted sentence mentions it, so the answer may be about something else. If no article mentions it, "
            "the assistant declines."
        ),
    )


def _groundedness(value: float) -> Part:
    return Part(
        name=_("Groundedness"),
        value=words.number(value),
        width=length(value),
        band=band_for(value, GROUNDED_LIMITS),
        explanation=_("Average share of each sentence's words that appear in the cited passages."),
    )


def _relevance(value: float) -> Part:
    return Part(
        name=_("Relevance"),
        value=words.number(value),
        width=length(value),
        band=band_for(value, COVERAGE_LIMITS),
        explanation=_("How much of the question the quoted passages mention, with rarer words counting more."),
    )


def _completeness(value: float) -> Part:
    return Part(
        name=_("Completeness"),
        value=words.number(value),
        width=length(value),
        band=band_for(value, COVERAGE_LIMITS),
        explanation=_("How much of the question the answer mentions, with rarer words counting more."),
    )

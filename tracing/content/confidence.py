"""The parts of the confidence, as they are recorded; `tracing.confidence` computes them."""

from __future__ import annotations

from dataclasses import dataclass

from tracing.plain import Malformed

BANDS = ("low", "medium", "high")
# Of a fixed text nothing is claimed.
NO_BAND = ""


@dataclass(frozen=True, slots=True)
class WeakestSpan:
    """The run of tokens [start, end) that the model found least likely on average."""

    start: int
    end: int
    mean_logprob: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalConfidence:
    """How well the articles fit the question. Scores and margins of a reranked search are on scales of their own."""

    score: float | None
    threshold: float | None
    margin: float | None
    rank_agreement: float | None
    is_reranked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenConfidence:
    """How likely the model itself found what was written. `entropy_at_least` is a lower bound, nats per token."""

    mean_logprob: float
    weakest_span: WeakestSpan
    entropy_at_least: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """The parts, kept apart, and the one band that people see.

    `calibrated` says whether labels back the band; then `probability` is that of a right answer, by the calibration of
    that version. `across_languages`: a sentence of another language than the question's is quoted, which is likelier to be
    the wrong one; the band is then at most medium, and no calibration speaks of it. `is_unmentioned`: the question names
    something that no quoted sentence speaks of (the content says what); the band is then low, and no calibration speaks of it.
    `while_indexing`: some of the articles' passages were not searched yet, so that the band is low whatever the parts say.
    """

    retrieval: RetrievalConfidence | None
    token_probability: TokenConfidence | None
    band: str
    calibrated: bool = False
    groundedness: float | None = None
    relevance: float | None = None
    completeness: float | None = None
    probability: float | None = None
    calibration: str | None = None
    across_languages: bool = False
    is_unmentioned: bool = False
    while_indexing: bool = False

    def __post_init__(self) -> None:
        if self.band not in (*BANDS, NO_BAND):
            raise Malformed(f"the band must be one of {', '.join(BANDS)}")

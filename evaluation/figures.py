"""From single questions to the figures of a help centre: shares, confidence and times. Pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from tracing.calibration import reliability
from tracing.content import Confidence

AMONG = 5
# A quote of a part of the sentence holds it when it is no less than this part.
MOST_OF_IT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One question and what became of it.

    `asks_back`: the desk asks which of several things is meant, which neither answers nor declines. `open` is why the
    articles leave it open, "" for one that they answer; `across`: in the other language only. `article_rank` is the place
    of the right article (1 is first) among those of its language, None when it was not found.
    """

    company: str
    question: str
    language: str
    open: str
    across: bool
    is_answered: bool
    asks_back: bool = False
    quotes_answer: bool = False
    quotes_article: bool = False
    quotes_near: bool = False
    article_rank: int | None = None
    score: float = 0.0
    confidence: Confidence | None = None
    milliseconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        """Answered, with a sentence that answers it; no answer to an open question is right."""
        return self.is_answered and self.quotes_answer and not self.open

    @property
    def probability(self) -> float:
        """That the answer is right: the calibrated one, without a calibration the gate's score."""
        known = self.confidence.probability if self.confidence else None
        return self.score if known is None else known


def holds(quote: str, sentence: str) -> bool:
    """Whether the quote is the sentence, has it in it, or is most of it. Both without blanks and punctuation."""
    if not quote or not sentence:
        return False
    return sentence in quote or (quote in sentence and len(quote) >= MOST_OF_IT * len(sentence))


def summarise(judged: Sequence[Judged], *, attack: str, partial: str) -> dict[str, Any]:
    """Shares of some questions, None where there are none of the kind.

    Figures without a prefix are those of questions in the articles' language. `attack` is the kind of open question that
    is an attack, `partial` the one that is half answered, which counts neither as answered nor as open.
    """
    answerable = [each for each in judged if not each.open]
    own, across = _of(answerable, lambda each: not each.across), _of(answerable, lambda each: each.across)
    open_ones = _of(judged, lambda each: each.open not in {"", partial})
    by_kind: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        if each.open:
            by_kind[each.open].append(each)
    return {
        "answerable": len(answerable),
        "open": len(open_ones),
        "first": share(own, lambda each: each.article_rank == 1),
        "among_five": share(own, _is_among),
        "sentence_quoted": share(_answered(own), lambda each: each.quotes_answer),
        "article_quoted": share(_answered(own), lambda each: each.quotes_article),
        "declined": share(own, _is_declined),
        "answered_right": share(answerable, lambda each: each.is_right),
        "declined_of_all": share(answerable, _is_declined),
        "asked_back": share(answerable, lambda each: each.asks_back),
        "open_declined": share(open_ones, _is_declined),
        "open_asked_back": share(open_ones, lambda each: each.asks_back),
        "open_declined_by_kind": {
            kind: [sum(map(_is_declined, of_kind)), len(of_kind)] for kind, of_kind in sorted(by_kind.items())
        },
        "attacks_declined": share(by_kind.get(attack, []), _is_declined),
        "across": len(across),
        "across_first": share(across, lambda each: each.article_rank == 1),
        "across_among_five": share(across, _is_among),
        "across_declined": share(across, _is_declined),
        "across_answered_right": share(across, lambda each: each.is_right),
        **confidence_figures([each for each in judged if each.open != partial]),
    }


def confidence_figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """How often an answer with high confidence is right, and how far the probabilities lie off, over all that was answered.

    An answer to an open question is wrong. `ece`: 10 bins of equal size.
    """
    answered = _answered(judged)
    high = _of(answered, lambda each: each.confidence is not None and each.confidence.band == "high")
    bins = (
        reliability([each.probability for each in answered], [each.is_right for each in answered]) if answered else ()
    )
    error = sum(each.answers * abs(each.predicted - each.right) for each in bins)
    return {
        "answered": len(answered),
        "right": share(answered, lambda each: each.is_right),
        "high": len(high),
        "high_right": share(high, lambda each: each.is_right),
        "ece": round(error / len(answered), 4) if answered else None,
    }


def stage_times(judged: Iterable[Judged]) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of each stage's milliseconds, over the questions in which it ran."""
    times: dict[str, list[float]] = defaultdict(list)
    for each in judged:
        for stage, milliseconds in each.milliseconds.items():
            times[stage].append(milliseconds)
    return {stage: {"p50": round(median(ran), 1), "p95": round(_p95(ran), 1)} for stage, ran in times.items()}


def share(judged: Sequence[Judged], has: Callable[[Judged], bool]) -> float | None:
    """The share of the questions that have it; None of none."""
    return round(sum(map(has, judged)) / len(judged), 4) if judged else None


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def _of(judged: Sequence[Judged], has: Callable[[Judged], bool]) -> list[Judged]:
    return [each for each in judged if has(each)]


def _answered(judged: Sequence[Judged]) -> list[Judged]:
    return _of(judged, lambda each: each.is_answered)


def _is_declined(judged: Judged) -> bool:
    return not judged.is_answered and not judged.asks_back


def _is_among(judged: Judged) -> bool:
    return judged.article_rank is not None and judged.article_rank <= AMONG

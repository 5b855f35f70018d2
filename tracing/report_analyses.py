"""What the report page shows of the analyses made afterwards, ready to print. No database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracing import words
from tracing.analyses import OpenedAnalysis
from tracing.analysis_content import (
    CAUSED_NATS_PER_TOKEN,
    LEAVE_ONE_OUT,
    AlternativeAnswer,
    Alternatives,
    Attribution,
    Replay,
    SentenceCauses,
    analysis_result,
)
from tracing.charts import Bar, length
from tracing.content import TokenRecord, TraceContent
from tracing.parts import GROUNDED_LIMITS, Part, band_for


@dataclass(frozen=True, slots=True)
class EffectRow:
    """How much one passage made the model say one sentence; the bar begins at the zero line."""

    number: int
    title: str
    heading: str
    effect: str
    bar: Bar
    is_cause: bool
    is_negative: bool


@dataclass(frozen=True, slots=True)
class SentenceView:
    """A sentence of the answer with the effects of the passages, the strongest first."""

    text: str
    is_grounded: bool
    effects: list[EffectRow]


@dataclass(frozen=True, slots=True)
class CausesView:
    """The newest attribution."""

    sentences: list[SentenceView]
    zero: int
    method: str
    cost: str
    drift: str
    groundedness: Part | None


@dataclass(frozen=True, slots=True)
class DiffPiece:
    """A stretch of an answer; `change` is "", "old" or "new"."""

    text: str
    change: str


@dataclass(frozen=True, slots=True)
class ReplayView:
    """One replay."""

    made_at: datetime
    verdict: str
    verdict_word: str
    explanation: str
    diff: list[DiffPiece]
    differences: list[tuple[str, str, str]]
    shift: str
    duration: str


@dataclass(frozen=True, slots=True)
class AlternativeView:
    """Another whole answer."""

    text: str
    probability: str
    tokens: int


@dataclass(frozen=True, slots=True)
class AnalysesView:
    """Everything that was found out afterwards."""

    causes: CausesView | None
    replays: list[ReplayView]
    alternatives: list[AlternativeView]


def analyses_view(content: TraceContent, analyses: Sequence[OpenedAnalysis]) -> AnalysesView:
    """The newest causes and alternatives, and all replays, the newest first. Deleted contents are left out."""
    causes, alternatives = None, []
    replays: list[ReplayView] = []
    for analysis in analyses:
        if analysis.content is None:
            continue
        result = analysis_result(analysis.kind, analysis.content)
        if isinstance(result, Attribution):
            causes = _causes(content, result)
        elif isinstance(result, Replay):
            replays.insert(0, _replay(content, result, analysis.created_at))
        elif isinstance(result, Alternatives):
            alternatives = [_alternative(answer) for answer in result.answers]
    return AnalysesView(causes, replays, alternatives)


def _causes(content: TraceContent, found: Attribution) -> CausesView:
    everything = [effect for sentence in found.sentences for effect in sentence.effects]
    low, high = min([0.0, *everything]), max([0.0, *everything])
    scale = (high - low) or 1.0
    zero = length(-low / scale)
    titles = {each.chunk: (each.title, each.heading) for each in content.candidates}
    named = [titles.get(chunk, ("", "")) for chunk in found.passages]
    return CausesView(
        sentences=[_sentence(content, each, named, zero, scale) for each in found.sentences],
        zero=zero,
        method=_("leaving out each passage in turn")
        if found.method == LEAVE_ONE_OUT
        else _("random halves of the passages, with a sparse linear model"),
        cost=ngettext(
            "%(passes)s reading, %(tokens)s tokens in total, %(time)s",
            "%(passes)s readings, %(tokens)s tokens in total, %(time)s",
            found.passes,
        )
        % {"passes": found.passes, "tokens": found.scored_tokens, "time": words.milliseconds(found.duration_ms)},
        drift=words.number(found.drift),
        groundedness=_groundedness(found),
    )


def _groundedness(found: Attribution) -> Part | None:
    value = found.groundedness
    if value is None:
        return None
    return Part(
        name=_("Groundedness, by cause"),
        value=words.percent(value) if value < 1 else "100 %",
        width=length(value),
        band=band_for(value, GROUNDED_LIMITS),
        explanation=_(
            "Share of the answer in sentences that a passage caused: without the passage, their log-probability "
            "falls by at least %(limit)s per token."
        )
        % {"limit": words.number(CAUSED_NATS_PER_TOKEN)},
    )


def _sentence(
    content: TraceContent, causes: SentenceCauses, named: Sequence[tuple[str, str]], zero: int, scale: float
) -> SentenceView:
    rows = []
    for number, ((title, heading), effect) in enumerate(zip(named, causes.effects, strict=True), 1):
        width = max(length(abs(effect) / scale), 4)
        rows.append(
            EffectRow(
                number=number,
                title=title,
                heading=heading,
                effect=f"{effect:+.2f}",
                bar=Bar(zero if effect >= 0 else max(zero - width, 0), width),
                is_cause=causes.is_grounded and effect / max(causes.tokens, 1) >= CAUSED_NATS_PER_TOKEN,
                is_negative=effect < 0,
            )
        )
    rows.sort(key=lambda row: -float(row.effect))
    return SentenceView(content.answer[causes.start : causes.end], causes.is_grounded, rows)


def _replay(content: TraceContent, replay: Replay, made_at: datetime) -> ReplayView:
    return ReplayView(
        made_at=made_at,
        verdict=replay.verdict,
        verdict_word=words.verdict_word(replay.verdict),
        explanation=_explanation(content, replay),
        diff=diff_pieces(content.tokens, replay),
        differences=[
            (
                words.difference_word(each.name),
                words.difference_value(each.recorded),
                words.difference_value(each.replayed),
            )
            for each in replay.differences
        ],
        shift=""
        if replay.mean_shift is None or replay.largest_shift is None
        else _("%(mean)s on average, %(largest)s at most")
        % {"mean": words.number(replay.mean_shift), "largest": words.number(replay.largest_shift)},
        duration=words.milliseconds(replay.duration_ms),
    )


def _explanation(content: TraceContent, replay: Replay) -> str:
    if replay.verdict == "exact":
        if content.sampling is not None and content.sampling.choices and not replay.is_free:
            return _(
                "Same tokens, model and engine. The answer was limited to the quotes, so its words couldn't differ. "
                "Compare the probabilities."
            )
        return _("Same tokens, model and engine.")
    if replay.verdict == "approximate":
        return _("Same text under different conditions. See what differed.")
    if replay.differences:
        return _("Different text. These conditions differed:")
    return _(
        "Different text under the same conditions. Other requests in the engine's batch change the rounding, which "
        "can tip close decisions between tokens."
    )


def diff_pieces(recorded: Sequence[TokenRecord], replay: Replay) -> list[DiffPiece]:
    """The recorded answer with what was replaced and what came instead."""
    pieces: list[DiffPiece] = []
    at = 0
    for change in replay.changes:
        _append(pieces, recorded[at : change.old_start], "")
        _append(pieces, recorded[change.old_start : change.old_end], "old")
        _append(pieces, replay.tokens[change.new_start : change.new_end], "new")
        at = change.old_end
    _append(pieces, recorded[at:], "")
    return pieces


def _append(pieces: list[DiffPiece], tokens: Sequence[TokenRecord], change: str) -> None:
    text = "".join(token.text for token in tokens)
    if text:
        pieces.append(DiffPiece(text, change))


def _alternative(answer: AlternativeAnswer) -> AlternativeView:
    probability = "–" if answer.mean_logprob is None else words.percent(math.exp(answer.mean_logprob))
    return AlternativeView(answer.text, probability, answer.tokens)

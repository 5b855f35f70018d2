"""What the report page shows, ready to print: labels, drawn lengths and pieces of text. No database."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from conversations.models import AnswerKind
from tracing import charts, words
from tracing.charts import Bar, Column
from tracing.content import TokenRecord, TraceContent
from tracing.facts import engine_facts, features, sampling_facts, stage_facts
from tracing.parts import Part, confidence_parts, not_measured
from tracing.read import TraceShape
from tracing.report_checks import ChecksView, checks_view
from tracing.report_passages import PassageRow, TranslationRow, passage_rows, searches_of, translation_rows
from tracing.shown import shown_places


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One step; `kind` is "queue" for the time before the claim."""

    name: str
    kind: str
    start: str
    duration: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class SizeRow:
    """How much of something there is."""

    name: str
    value: str
    width: int


@dataclass(frozen=True, slots=True)
class AlternativeRow:
    """A token that the model weighed; `is_chosen` marks the one that was written."""

    text: str
    probability: str
    width: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token that was generated. `shown` makes white space visible; `is_cut`: the answer does not hold it."""

    number: int
    id: int
    text: str
    shown: str
    probability: str
    band: int
    rank: int
    column: Column
    alternatives: list[AlternativeRow]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class PromptTurnView:
    """One message of the prompt."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class PromptPassageView:
    """A passage in the prompt that a replay may leave out."""

    chunk: str
    title: str


@dataclass(frozen=True, slots=True)
class CutView:
    """Something that did not fit into the prompt."""

    name: str
    tokens: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedReport:
    """Everything behind the lock."""

    content: TraceContent
    was_prompt_deleted: bool
    was_answer_deleted: bool
    passages: list[PassageRow]
    other_passages: list[PassageRow]
    quoted_language: str
    translations: list[TranslationRow]
    searches: list[str]
    tokens: list[TokenView]
    checks: ChecksView | None
    chart_width: int
    turns: list[PromptTurnView]
    history: list[PromptTurnView]
    parts: list[Part]
    not_measured: list[str]
    cuts: list[CutView]
    sections: list[SizeRow]
    features: list[tuple[str, str]]
    stage_facts: list[tuple[str, str]]
    engine_facts: list[tuple[str, str]]
    sampling_facts: list[tuple[str, str]]
    style_sentence: str
    nothing_found: str
    probability: str
    prompt_passages: list[PromptPassageView]
    topics: tuple[str, ...]
    kind: str


def shape_rows(shape: TraceShape) -> list[SizeRow]:
    """Sizes in tokens of what is sealed, on one scale."""
    sizes = [(_("Prompt tokens"), shape.prompt_tokens), (_("Answer tokens"), shape.answer_tokens)]
    top = max(count for _name, count in sizes)
    return [SizeRow(name, words.count(count), charts.length(count / top if top else 0.0)) for name, count in sizes]


def timeline_rows(shape: TraceShape) -> list[TimelineRow]:
    """The queue and every step on one axis that begins when the question was asked."""
    spans = [(0.0, shape.queue_ms), *((shape.queue_ms + step.start_ms, step.duration_ms) for step in shape.steps)]
    bars = charts.timeline(spans, total=shape.queue_ms + shape.total_ms)
    names = ["queue", *(step.name for step in shape.steps)]
    return [
        TimelineRow(
            name=word,
            kind="queue" if name == "queue" else "step",
            start=words.milliseconds(start),
            duration=words.milliseconds(duration),
            bar=bar,
        )
        for name, word, (start, duration), bar in zip(names, words.step_words(names), spans, bars, strict=True)
    ]


def _quoted_language(content: TraceContent) -> str:
    """The language of an answer that is quoted from another language than the question's, else ""."""
    quoted = {each.language for each in content.candidates if each.quoted}
    is_foreign = content.style == "quote" and len(quoted) == 1 and content.language not in quoted
    return quoted.pop() if is_foreign else ""


def opened_report(content: TraceContent, *, finish_reason: str, caused: Part | None = None) -> OpenedReport:
    """The opened report of one trace; `caused` is the groundedness that was measured afterwards."""
    own = [candidate for candidate in content.candidates if not candidate.is_other_language]
    other = [candidate for candidate in content.candidates if candidate.is_other_language]
    searches = searches_of(content.candidates)
    tokens = _token_views(content)
    deleted = {section.kind for section in content.deleted}
    return OpenedReport(
        content=content,
        was_prompt_deleted="prompts" in deleted,
        was_answer_deleted="answers" in deleted,
        passages=passage_rows(own, searches, first=1),
        other_passages=passage_rows(other, searches, first=len(own) + 1),
        quoted_language=_quoted_language(content),
        translations=translation_rows(content),
        searches=[words.search_word(name) for name in searches],
        tokens=tokens,
        checks=checks_view(content.checking),
        chart_width=10 * max(len(tokens), 16),
        turns=[
            PromptTurnView(words.role_word(turn.role), turn.content)
            for turn in (content.prompt.turns if content.prompt else ())
        ],
        history=[PromptTurnView(words.author_word(message.author), message.body) for message in content.history],
        parts=confidence_parts(content),
        not_measured=[] if "answers" in deleted else not_measured(content.confidence),
        cuts=_cuts(content),
        sections=_sections(content),
        features=features(content),
        stage_facts=stage_facts(content),
        engine_facts=engine_facts(content),
        sampling_facts=sampling_facts(content, finish_reason),
        style_sentence=words.style_sentence(content.style),
        nothing_found=words.nothing_found(content.style),
        probability="" if content.confidence.probability is None else words.percent(content.confidence.probability),
        prompt_passages=_prompt_passages(content),
        topics=content.topics,
        kind=str(AnswerKind(content.kind).label) if content.kind else "",
    )


def _prompt_passages(content: TraceContent) -> list[PromptPassageView]:
    titles = {candidate.chunk: candidate.title for candidate in content.candidates}
    placed = content.prompt.passages if content.prompt else ()
    return [PromptPassageView(each.chunk, titles.get(each.chunk, "")) for each in placed]


def _cuts(content: TraceContent) -> list[CutView]:
    titles = {candidate.chunk: candidate.title for candidate in content.candidates}
    return [
        CutView(words.cut_words(cut.kind, cut.reference, titles.get(cut.reference, "")), cut.tokens)
        for cut in content.dropped
    ]


def _sections(content: TraceContent) -> list[SizeRow]:
    """The tokens of each part of the prompt, as a share of what it may take."""
    found = content.prompt.sections if content.prompt else ()
    return [
        SizeRow(
            words.section_word(section.name),
            _("%(tokens)d of at most %(budget)d") % {"tokens": section.tokens, "budget": section.budget},
            charts.length(section.tokens / section.budget if section.budget else 0.0),
        )
        for section in found
    ]


def _token_views(content: TraceContent) -> list[TokenView]:
    columns = charts.token_columns(content.tokens)
    return [
        TokenView(
            number=number,
            id=token.id,
            text=token.text,
            shown=visible(token.text),
            probability=words.percent(math.exp(token.logprob)),
            band=column.band,
            rank=token.rank,
            column=column,
            alternatives=_alternatives(token),
            is_cut=place is None,
        )
        for number, (token, column, place) in enumerate(
            zip(content.tokens, columns, shown_places(content), strict=True), 1
        )
    ]


def _alternatives(token: TokenRecord) -> list[AlternativeRow]:
    """The favourites and, where it is none of them, the token that was written."""
    listed = [(other.id, other.text, other.logprob) for other in token.alternatives]
    if token.id not in {other for other, _, _ in listed}:
        listed.append((token.id, token.text, token.logprob))
    return [
        AlternativeRow(
            visible(text), words.percent(math.exp(logprob)), charts.length(math.exp(logprob)), other == token.id
        )
        for other, text, logprob in listed
    ]


def visible(text: str) -> str:
    """A token with its white space drawn; an incomplete character is a small circle."""
    drawn = text.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥")
    return drawn or "◌"

"""From the results of an answer's stages to what is stored of it: the message, its sources and the trace's content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from conversations.models import AnswerKind, AnswerStyle, Outcome, TextFormat, format_of
from conversations.replies import Answer
from inference_worker.answering.judging import confidence, kind, terms_of_passages
from inference_worker.answering.means import Means
from inference_worker.answering.records import (
    candidate_record,
    engine_record,
    missing_records,
    prompt_record,
    sampling_record,
    selection_record,
    term_records,
    token_records,
    translation_records,
)
from inference_worker.answering.results import (
    Articles,
    Asked,
    Checked,
    Evidence,
    FixedText,
    Generation,
    Original,
    Repetition,
    Translated,
)
from inference_worker.answering.translating import FAILED, LATE
from knowledge.quoting.selection import Quote, join_quotes
from tracing import content
from tracing.factors import key_topics

MAX_SOURCES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """All that is stored of an answer, but for the times that are known when it is stored.

    `is_measurable`: there are articles whose part in it can be measured. `is_complete`: it may be cached.
    """

    answer: Answer
    content: content.TraceContent
    first_token_ms: float | None = None
    finish_reason: str = ""
    cached_prompt_tokens: int = 0
    saved_tokens: int = 0
    is_measurable: bool = False
    is_complete: bool = False


def finished(asked: Asked, evidence: Evidence, checked: Checked, means: Means) -> Finished:
    """What is stored of this answer."""
    if isinstance(checked.plan, Repetition):
        return _repeated(asked, checked, checked.plan.original, means)
    return _written(asked, evidence, checked, means)


def _repeated(asked: Asked, checked: Checked, original: Original, means: Means) -> Finished:
    """A cached answer, with a trace of its own that names the original; nothing was measured anew."""
    is_stopped = checked.draft.is_stopped
    answer_kind = AnswerKind.PARTIAL.value if is_stopped else original.trace.kind
    embedded = any(step.name == "embed" for step in means.steps.records)
    return Finished(
        answer=Answer(
            body=checked.text,
            language=asked.language,
            outcome=checked.outcome,
            sources=original.message.sources,
            confidence_band=original.confidence.band,
            cache=original.kind,
            format=original.message.format,
            kind=answer_kind,
            while_indexing=original.confidence.while_indexing,
        ),
        content=content.TraceContent(
            question=asked.question,
            language=asked.language,
            style=original.trace.style,
            answer=checked.text,
            confidence=original.confidence,
            steps=(),
            embedder=means.embedder.info() if embedded else None,
            kind=answer_kind or None,
            cached=content.CachedAnswer(
                trace=str(original.trace.id),
                reply=str(original.trace.reply_id),
                kind=original.kind.value,
                similarity=round(original.similarity, 4),
            ),
            stages=tuple(means.steps.notes),
        ),
        first_token_ms=checked.draft.first_ms,
        finish_reason="abort" if is_stopped else "",
        saved_tokens=original.trace.prompt_tokens + original.trace.answer_tokens,
    )


def _written(asked: Asked, evidence: Evidence, checked: Checked, means: Means) -> Finished:
    generated, grounded = checked.draft.generated, asked.parameters.grounded
    is_refused, is_stopped = checked.outcome is Outcome.REFUSED, checked.outcome is Outcome.STOPPED
    held = trace_content(asked, evidence, checked, means)
    return Finished(
        answer=Answer(
            body=checked.text,
            language=asked.language,
            outcome=checked.outcome,
            sources=[]
            if is_refused
            else sources(checked.quotes, numbers=_cited_numbers(checked), translations=checked.translations),
            # Half an answer is not judged.
            confidence_band=held.confidence.band if grounded and not is_stopped else "",
            format=TextFormat.PLAIN if generated is None or is_refused else format_of(AnswerStyle(held.style)),
            kind=held.kind or "",
            hands_over=isinstance(checked.plan, FixedText) and checked.plan.hands_over,
            while_indexing=held.confidence.while_indexing,
        ),
        content=held,
        first_token_ms=checked.draft.first_ms,
        finish_reason=(generated.finish_reason or "") if generated else "",
        cached_prompt_tokens=generated.cached_prompt_tokens if generated else 0,
        is_measurable=generated is not None and grounded,
        is_complete=checked.outcome is Outcome.ANSWERED
        and generated is not None
        and generated.finish_reason == "stop"
        # The next one who asks may get the translation that came too late for this one.
        and not any(each.reason in {LATE, FAILED} for each in checked.translations),
    )


def _cited_numbers(checked: Checked) -> dict[UUID, int]:
    """The number of each passage as a freely written text cites it; quotes cite nothing."""
    plan = checked.plan
    if not isinstance(plan, Generation) or plan.style is not AnswerStyle.GENERATE:
        return {}
    return {passage.chunk_id: number for number, passage in enumerate(plan.composition.passages, 1)}


def sources(
    quotes: Sequence[Quote], *, numbers: Mapping[UUID, int], translations: Sequence[Translated] = ()
) -> list[dict[str, Any]]:
    """The passages used, at most three, each once; `passage` stays on the server, `translation` is there where there is one.

    They have the numbers by which the text cites them, in that order, and count from 1 where it cites none.
    """
    quotes = sorted(quotes, key=lambda quote: numbers.get(quote.candidate.chunk_id, 0))
    by_chunk: dict[str, dict[str, Any]] = {}
    for quote in quotes:
        candidate, key = quote.candidate, str(quote.candidate.chunk_id)
        if key not in by_chunk and len(by_chunk) < MAX_SOURCES:
            by_chunk[key] = {
                "number": numbers.get(candidate.chunk_id, len(by_chunk) + 1),
                "article": str(candidate.article_id),
                "version": candidate.version,
                "chunk": key,
                "title": candidate.title,
                "heading": candidate.heading,
                "language": candidate.language,
                "quote": join_quotes([each for each in quotes if each.candidate.chunk_id == candidate.chunk_id]),
                "passage": candidate.text,
                "updated_at": candidate.updated_at.isoformat(),
            }
            if translation := _translation(candidate.chunk_id, quotes, translations):
                by_chunk[key]["translation"] = translation
    return list(by_chunk.values())


def _translation(chunk_id: UUID, quotes: Sequence[Quote], translations: Sequence[Translated]) -> str:
    """The passage's quotes in the customer's language, when there is a translation of each."""
    shown = {each.quote: each.text for each in translations if not each.reason}
    texts = [shown.get(quote, "") for quote in quotes if quote.candidate.chunk_id == chunk_id]
    return "\n".join(texts) if all(texts) else ""


def trace_content(asked: Asked, evidence: Evidence, checked: Checked, means: Means) -> content.TraceContent:
    """Everything that the sealed payload holds of an answer that was written anew, but for the steps."""
    plan, generated = checked.plan, checked.draft.generated
    held = content.TraceContent(
        question=asked.question,
        language=asked.language,
        style="" if isinstance(plan, Repetition) else plan.style.value,
        answer=checked.text,
        confidence=content.Confidence(retrieval=None, token_probability=None, band=content.NO_BAND),
        steps=(),
        history=tuple(content.HistoryMessage(message.author, message.body) for message in asked.history),
        kind=kind(evidence, checked),
        stages=tuple(means.steps.notes),
    )
    if isinstance(evidence, Articles):
        held = _with_articles(held, asked, evidence, checked)
    if isinstance(plan, Generation):
        held = replace(
            held, prompt=prompt_record(plan, grounded=asked.parameters.grounded), dropped=plan.composition.prompt.cuts
        )
    if isinstance(plan, Generation) and generated is not None:
        held = replace(
            held,
            tokens=token_records(generated.tokens),
            sampling=sampling_record(plan.composition.sampling),
            engine=engine_record(plan.engine),
        )
    return replace(
        held,
        checking=_checking(checked),
        translations=translation_records(checked.translations, language=asked.language),
        confidence=confidence(held, evidence, checked),
    )


def _checking(checked: Checked) -> content.Checking | None:
    """What became of free writing; its tokens are kept here when the answer's own are another generation's."""
    withdrawn = checked.withdrawn
    if withdrawn is None or withdrawn.checking is None:
        return checked.draft.checking
    generated = withdrawn.generated
    return replace(withdrawn.checking, tokens=token_records(generated.tokens if generated else ()))


def _with_articles(
    held: content.TraceContent, asked: Asked, evidence: Articles, checked: Checked
) -> content.TraceContent:
    found, plan = evidence.found, checked.plan
    in_prompt = {each.chunk_id for each in plan.composition.passages} if isinstance(plan, Generation) else set()
    terms = term_records(found.result.terms)
    topics = key_topics(asked.question, terms, terms_of_passages(checked.quotes), language=asked.language)
    return replace(
        held,
        search_query=found.query,
        embedder=evidence.embedder,
        reranker=evidence.reranker,
        candidates=tuple(
            candidate_record(each, used=each.chunk_id in in_prompt, quotes=checked.quotes)
            for each in found.result.candidates
        ),
        selection=selection_record(found.selection),
        question_terms=terms,
        topics=tuple(topics),
        missing=missing_records(found.verdict.missing),
    )

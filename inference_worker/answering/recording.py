"""From one answer's work to its trace and its sources: plain values, nothing invented."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from conversations.models import AnswerStyle, Outcome
from conversations.parameters import RequestParameters
from conversations.replies import ClaimedReply
from conversations.small_talk import SmallTalk
from inference_worker.answering.composing import Composition, Found
from inference_worker.answering.generation import Generated
from inference_worker.answering.prompt import TEMPLATE_VERSION
from inference_worker.answering.steps import StepClock
from inference_worker.engine.contract import EngineInfo, Prompt, SamplingParameters, Token
from knowledge.quoting.selection import Quote, QuoteSelection, join_quotes
from knowledge.search.retrieval import Candidate
from tracing import content
from tracing.calibration import ConfidenceModel
from tracing.calibrations import calibrated
from tracing.confidence import assess
from tracing.factors import HAND_OFF, Coverage, answer_kind, covered, key_topics

MAX_SOURCES = 3
# What a trace names instead of a template when the caller's messages went to the model as they were.
NO_TEMPLATE = "none"


@dataclass(slots=True)
class Work:
    """What is known of one answer so far; filled in as its steps complete."""

    claimed: ClaimedReply
    clock: StepClock
    asked: RequestParameters = field(default_factory=RequestParameters)
    language: str = ""
    style: AnswerStyle = AnswerStyle.QUOTE
    found: Found | None = None
    composition: Composition | None = None
    prompt: Prompt | None = None
    generated: Generated | None = None
    engine: EngineInfo | None = None
    embedder: dict[str, str] | None = None
    answer: str = ""
    quotes: tuple[Quote, ...] = ()
    groundedness: float | None = None
    calibration: ConfidenceModel | None = None
    is_index_complete: bool = True
    talk: SmallTalk | None = None


def waited_ms(claimed: ClaimedReply) -> float:
    """How long the question had waited when it was claimed."""
    claimed_at = claimed.reply.claimed_at or claimed.reply.queued_at
    return max((claimed_at - claimed.question.created_at).total_seconds() * 1000, 0.0)


def sources(quotes: Sequence[Quote]) -> list[dict[str, Any]]:
    """The passages used, at most three, each once; `passage` stays on the server."""
    by_chunk: dict[str, dict[str, Any]] = {}
    for quote in quotes:
        candidate, key = quote.candidate, str(quote.candidate.chunk_id)
        if key not in by_chunk and len(by_chunk) < MAX_SOURCES:
            by_chunk[key] = {
                "number": len(by_chunk) + 1,
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
    return list(by_chunk.values())


def confidence(work: Work) -> content.Confidence:
    """The parts of the answer's confidence and its band; without articles only the tokens' probabilities, which is low.

    A fixed text claims nothing.
    """
    if work.talk is not None:
        return content.Confidence(retrieval=None, token_probability=None, band=content.NO_BAND)
    if work.found is None:
        return assess(selection=None, tokens=token_records(work.generated.tokens if work.generated else ()))
    coverage = _coverage(work)
    measured = assess(
        selection=_selection(work.found.selection),
        candidates=_candidates(work),
        tokens=token_records(work.generated.tokens if work.generated else ()),
        groundedness=work.groundedness,
        relevance=coverage.relevance,
        completeness=coverage.completeness,
        is_unmentioned=bool(work.found.verdict.missing),
    )
    judged = calibrated(measured, work.calibration)
    # Articles that are not searched yet may say better, or otherwise.
    return judged if work.is_index_complete else replace(judged, band="low")


def trace_content(work: Work) -> content.TraceContent:
    """Everything that the sealed payload holds."""
    found, sampling = work.found, work.composition.sampling if work.composition else None
    return content.TraceContent(
        question=work.claimed.question.body,
        language=work.language,
        style=work.style.value,
        answer=work.answer,
        confidence=confidence(work),
        steps=tuple(content.StepRecord(step.name, step.start_ms, step.duration_ms) for step in work.clock.steps),
        search_query=found.query if found else None,
        history=tuple(content.HistoryMessage(message.author, message.body) for message in work.claimed.history),
        prompt=_prompt(work),
        tokens=token_records(work.generated.tokens if work.generated else ()),
        sampling=_sampling_record(sampling) if sampling and work.generated else None,
        engine=engine_record(work.engine) if work.engine and work.generated else None,
        embedder=work.embedder,
        candidates=_candidates(work),
        selection=_selection(found.selection) if found else None,
        dropped=tuple(
            content.Dropped(cut.kind, cut.reference, cut.tokens)
            for cut in (work.composition.prompt.cuts if work.composition else ())
        ),
        question_terms=_question_terms(work),
        topics=_topics(work),
        kind=_kind(work),
        missing=_missing(work),
    )


def _missing(work: Work) -> tuple[content.Missing, ...]:
    """What the question names and the quotes do not speak of."""
    found = work.found.verdict.missing if work.found else ()
    return tuple(content.Missing(each.text, each.kind, each.is_unknown) for each in found)


def _sampling_record(sampling: SamplingParameters) -> content.SamplingRecord:
    schema = None if sampling.json_schema is None else json.dumps(sampling.json_schema, ensure_ascii=False)
    return content.SamplingRecord(**(asdict(sampling) | {"json_schema": schema}))


def _question_terms(work: Work) -> tuple[content.QuestionTerm, ...]:
    terms = work.found.result.terms if work.found else ()
    return tuple(content.QuestionTerm(term.text, round(float(term.weight), 6)) for term in terms)


def _terms_of_passages(work: Work) -> set[str]:
    """The search terms of the passages that the answer quotes."""
    quoted = {quote.candidate.chunk_id: quote.candidate for quote in work.quotes}
    return {
        term
        for candidate in quoted.values()
        for terms in (candidate.headline_terms, *candidate.sentence_terms)
        for term in terms
    }


def _terms_of_answer(work: Work) -> set[str]:
    """The search terms of the quoted sentences."""
    return {
        term
        for quote in work.quotes
        for sentence, terms in zip(quote.candidate.sentences, quote.candidate.sentence_terms, strict=True)
        if sentence.start < quote.end and quote.start < sentence.end
        for term in terms
    }


def _coverage(work: Work) -> Coverage:
    """Words are compared within one language only, and only of an answer that stands on passages."""
    if not work.quotes or any(quote.candidate.is_other_language for quote in work.quotes):
        return Coverage(None, None)
    terms = _question_terms(work)
    return Coverage(covered(terms, _terms_of_passages(work)), covered(terms, _terms_of_answer(work)))


def _topics(work: Work) -> tuple[str, ...]:
    question = work.claimed.question.body
    return tuple(key_topics(question, _question_terms(work), _terms_of_passages(work), language=work.language))


def _kind(work: Work) -> str | None:
    if work.talk is not None:
        return HAND_OFF if work.talk is SmallTalk.PERSON else None
    return answer_kind(
        is_refusal=work.generated is None,
        is_cut_off=work.generated is not None and work.generated.finish_reason in {"abort", "length"},
        is_handed_off=False,
        answer=work.answer,
        quotes=work.style is AnswerStyle.QUOTE,
        relevance=_coverage(work).relevance,
    )


def outcome_of(work: Work) -> Outcome:
    """How the answer came about."""
    if work.talk is not None:
        return Outcome.ANSWERED
    if work.generated is None:
        return Outcome.REFUSED
    return Outcome.STOPPED if work.generated.finish_reason == "abort" else Outcome.ANSWERED


def _prompt(work: Work) -> content.PromptRecord | None:
    if work.prompt is None or work.composition is None:
        return None
    return content.PromptRecord(
        text=work.prompt.text,
        token_ids=tuple(work.prompt.token_ids),
        template_version=TEMPLATE_VERSION if work.asked.grounded else NO_TEMPLATE,
        turns=tuple(content.PromptTurn(turn.role, turn.content) for turn in work.composition.prompt.turns),
        passages=tuple(
            content.PromptPassage(str(candidate.chunk_id), start, end)
            for candidate, (start, end) in zip(work.composition.passages, work.composition.prompt.spans, strict=True)
            if end > start
        ),
        sections=tuple(
            content.PromptSection(section.name, section.tokens, section.budget)
            for section in work.composition.prompt.sections
        ),
    )


def engine_record(info: EngineInfo) -> content.EngineRecord:
    """The engine's identity as traces hold it."""
    fields = {name: value for name, value in asdict(info).items() if name != "can_generate_freely"}
    return content.EngineRecord(**fields)


def token_records(tokens: Sequence[Token]) -> tuple[content.TokenRecord, ...]:
    """Generated tokens as traces hold them."""
    return tuple(
        content.TokenRecord(
            id=token.token_id,
            text=token.text,
            logprob=token.logprob,
            rank=token.rank,
            alternatives=tuple(
                content.TokenAlternative(other.token_id, other.text, other.logprob) for other in token.alternatives
            ),
        )
        for token in tokens
    )


def _selection(selection: QuoteSelection) -> content.Selection:
    return content.Selection(
        answerable=selection.answerable,
        score=float(selection.score),
        threshold=float(selection.threshold),
        margin=float(selection.margin),
        features={name: float(value) for name, value in selection.features.items()},
    )


def _candidates(work: Work) -> tuple[content.CandidateRecord, ...]:
    if work.found is None:
        return ()
    in_prompt = {each.chunk_id for each in work.composition.passages} if work.composition else set()
    return tuple(
        _candidate(each, used=each.chunk_id in in_prompt, quotes=work.quotes) for each in work.found.result.candidates
    )


def _candidate(candidate: Candidate, *, used: bool, quotes: Sequence[Quote]) -> content.CandidateRecord:
    return content.CandidateRecord(
        chunk=str(candidate.chunk_id),
        article=str(candidate.article_id),
        version=candidate.version,
        slug=candidate.slug,
        title=candidate.title,
        heading=candidate.heading,
        language=candidate.language,
        text=candidate.text,
        scores={name: content.ScoreRecord(float(found.score), found.rank) for name, found in candidate.scores.items()},
        used=used,
        is_other_language=candidate.is_other_language,
        quoted=tuple((quote.start, quote.end) for quote in quotes if quote.candidate.chunk_id == candidate.chunk_id),
    )

"""What an answer's results say of it: its confidence, its kind, and the words of the question that it covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conversations.intents import Intent
from conversations.models import AnswerStyle, Outcome
from inference_worker.answering.records import term_records
from inference_worker.answering.results import Articles, Checked, Clarify, Evidence, FixedText, Generation
from knowledge.quoting.selection import Quote
from tracing.calibrations import calibrated
from tracing.confidence import assess
from tracing.content import Confidence, TraceContent
from tracing.factors import CLARIFYING, HAND_OFF, PARTIAL, Coverage, answer_kind, covered

# Answered by the offer of a person, or by one.
FOR_A_PERSON = frozenset({Intent.PERSON, Intent.COMPLAINT, Intent.ORDER})


def confidence(held: TraceContent, evidence: Evidence, checked: Checked) -> Confidence:
    """The parts of the answer's confidence and its band; without articles only the tokens' probabilities, which is low.

    A fixed text and a question back claim nothing.
    """
    if isinstance(checked.plan, FixedText | Clarify):
        return held.confidence
    if not isinstance(evidence, Articles):
        return assess(selection=None, tokens=held.tokens)
    coverage = _coverage(evidence, checked.quotes)
    measured = assess(
        selection=held.selection,
        candidates=held.candidates,
        tokens=held.tokens,
        groundedness=checked.groundedness,
        relevance=coverage.relevance,
        completeness=coverage.completeness,
        is_unmentioned=bool(held.missing),
    )
    judged = calibrated(measured, evidence.calibration)
    # Articles that are not searched yet may say better, or otherwise.
    return judged if evidence.is_complete else replace(judged, band="low")


def kind(evidence: Evidence, checked: Checked) -> str | None:
    """Direct, partial, clarifying, refusal or hand-off; None for small talk."""
    if isinstance(checked.plan, FixedText):
        return HAND_OFF if checked.plan.intent in FOR_A_PERSON else None
    if isinstance(checked.plan, Clarify):
        return CLARIFYING
    generated = checked.draft.generated
    if isinstance(evidence, Articles) and evidence.found.open_parts and checked.outcome is Outcome.ANSWERED:
        return PARTIAL
    coverage = _coverage(evidence, checked.quotes)
    return answer_kind(
        is_refusal=checked.outcome is Outcome.REFUSED,
        is_cut_off=generated is not None and generated.finish_reason in {"abort", "length"},
        is_handed_off=False,
        answer=checked.text,
        quotes=isinstance(checked.plan, Generation) and checked.plan.style is AnswerStyle.QUOTE,
        relevance=coverage.relevance,
    )


def _coverage(evidence: Evidence, quotes: Sequence[Quote]) -> Coverage:
    """Words are compared within one language only, and only of an answer that stands on passages."""
    if not isinstance(evidence, Articles) or not quotes or any(quote.candidate.is_other_language for quote in quotes):
        return Coverage(None, None)
    terms = term_records(evidence.found.result.terms)
    return Coverage(covered(terms, terms_of_passages(quotes)), covered(terms, _terms_of_quotes(quotes)))


def terms_of_passages(quotes: Sequence[Quote]) -> set[str]:
    """The search terms of the passages that the answer quotes."""
    quoted = {quote.candidate.chunk_id: quote.candidate for quote in quotes}
    return {
        term
        for candidate in quoted.values()
        for terms in (candidate.headline_terms, *candidate.sentence_terms)
        for term in terms
    }


def _terms_of_quotes(quotes: Sequence[Quote]) -> set[str]:
    """The search terms of the quoted sentences."""
    return {
        term
        for quote in quotes
        for sentence, terms in zip(quote.candidate.sentences, quote.candidate.sentence_terms, strict=True)
        if sentence.start < quote.end and quote.start < sentence.end
        for term in terms
    }

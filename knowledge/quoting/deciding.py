"""What is quoted, held against what the question names: `select_quotes`, and then whether it speaks of the right thing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from knowledge.chunking.chunks import POINTS_BACK
from knowledge.quoting import about, codes, mentions, names
from knowledge.quoting.mentions import Mention, Verdict
from knowledge.quoting.quantities import asked_kind, is_other_kind, kinds_in
from knowledge.quoting.questions import asking_part
from knowledge.quoting.selection import Quote, QuoteSelection, select_quotes
from knowledge.search.retrieval import Candidate, RetrievalResult

# What is most of a question is its subject; in a longer one many nouns are beside the point, and others put them otherwise.
SUBJECT_SHARE = 0.4
# A message may name hundreds; each is looked for in every passage.
MAX_MENTIONS = 8


@dataclass(frozen=True, slots=True)
class Decision:
    """What would be quoted, whether it may be, and what it does not speak of."""

    selection: QuoteSelection
    verdict: Verdict


def decide(
    result: RetrievalResult,
    *,
    asked: str = "",
    gate: Mapping[str, Any] | None = None,
    own_names: Collection[str] = (),
) -> Decision:
    """Select the quotes and hold them against the question; a refusal by what it names leaves the score as it was.

    A code is answered by sentences about it alone, a question for watts by one that tells watts, where there are any.
    `asked` is what of the query is asked, if not what looks like it; `own_names` are the company's: nobody asks whether
    its articles know it.
    """
    asked = asked or asking_part(result.query)
    selection = _select(result, asked, gate)
    verdict = _judge(result, asked, selection, own_names)
    if verdict.is_refusal:
        selection = replace(selection, answerable=False)
    return Decision(selection, verdict)


def _select(result: RetrievalResult, asked: str, gate: Mapping[str, Any] | None) -> QuoteSelection:
    selection, within = select_quotes(result, gate=gate), result
    named, kind = _codes(asked), asked_kind(asked)
    if named:
        about = _narrowed(result, lambda evidence, _own: any(codes.names_code(evidence, code) for code in named))
        chosen = _select_from(about, result, gate)
        if about is not None and chosen is not None and (chosen.answerable or not selection.answerable):
            within, selection = about, chosen
    if kind is not None and is_other_kind(kind, _quoted_text(selection.quotes)):
        telling = _narrowed(within, lambda _evidence, own: kind in kinds_in(own))
        chosen = _select_from(telling, result, gate)
        if chosen is not None and chosen.answerable:
            selection = chosen
    return selection


def _select_from(
    narrowed: RetrievalResult | None, result: RetrievalResult, gate: Mapping[str, Any] | None
) -> QuoteSelection | None:
    """The selection among the sentences that are left, its quotes cut from the whole passages."""
    if narrowed is None:
        return None
    whole = {candidate.chunk_id: candidate for candidate in result.candidates}
    selection = select_quotes(narrowed, gate=gate)
    return replace(
        selection,
        quotes=tuple(replace(quote, candidate=whole[quote.candidate.chunk_id]) for quote in selection.quotes),
    )


def _narrowed(result: RetrievalResult, keeps: Callable[[str, str], bool]) -> RetrievalResult | None:
    """The result with those sentences only; `keeps` gets a sentence's evidence and its own text. None if there are none."""
    kept = [_with_sentences(candidate, keeps) for candidate in result.candidates]
    candidates = tuple(candidate for candidate in kept if candidate.sentences)
    return replace(result, candidates=candidates) if candidates else None


def _with_sentences(candidate: Candidate, keeps: Callable[[str, str], bool]) -> Candidate:
    evidence, own = _evidence_of(candidate), _quotable(candidate)
    places = [place for place, text in enumerate(own) if keeps(evidence[place], f"{candidate.heading} {text}")]
    vectors = candidate.sentence_vectors
    return replace(
        candidate,
        sentences=tuple(candidate.sentences[place] for place in places),
        sentence_terms=tuple(candidate.sentence_terms[place] for place in places) if candidate.sentence_terms else (),
        sentence_vectors=None if vectors is None else np.atleast_2d(vectors)[places],
        sentence_scores=tuple(candidate.sentence_scores[place] for place in places)
        if candidate.sentence_scores
        else (),
    )


def _quotable(candidate: Candidate) -> list[str]:
    """What would be quoted for each sentence, behind the question that it answers or what introduces it."""
    return [f"{each.context} {candidate.text[slice(*each.quoted)]}".strip() for each in candidate.sentences]


def _evidence_of(candidate: Candidate) -> list[str]:
    """Each sentence with what says what it is about: title, headings, the code named last before it, what "it" refers to.

    A sentence about another code than the title's is not about the title's, and neither is one that points back to it.
    """
    evidence: list[str] = []
    title = about.without_others(candidate.title, candidate.heading)
    head = f"{title}\n{candidate.heading}"
    named: tuple[str, ...] = ()
    own_head, before = head, ""
    for own in _quotable(candidate):
        points_back = POINTS_BACK.search(own) is not None
        named = codes.codes_in(own) or named
        if not points_back:
            own_head = about.without_others(head, own)
        evidence.append("\n".join([own_head, own, *named, *([before] if points_back else [])]))
        before = own
    return evidence


def _quoted_evidence(quotes: Sequence[Quote]) -> str:
    evidence = []
    for quote in quotes:
        known = zip(quote.candidate.sentences, _evidence_of(quote.candidate), strict=True)
        evidence += [text for each, text in known if each.quoted[0] < quote.end and quote.start < each.quoted[1]]
    return "\n".join(evidence)


def _quoted_text(quotes: Sequence[Quote]) -> str:
    return "\n".join(f"{quote.candidate.heading} {quote.text}" for quote in quotes)


def _judge(result: RetrievalResult, asked: str, selection: QuoteSelection, own_names: Collection[str]) -> Verdict:
    if not selection.quotes:
        return Verdict()
    evidence, quoted = _quoted_evidence(selection.quotes), _quoted_text(selection.quotes)
    texts = [f"{candidate.headline}\n{candidate.text}" for candidate in result.candidates]
    unnamed_codes = [
        Mention(code, "code", not any(codes.names_code(text, code) for text in texts))
        for code in _codes(asked)
        if not codes.names_code(evidence, code)
    ]
    unnamed = _names_missing(result, asked, selection, own_names, texts)
    kind = asked_kind(asked)
    kinds = [Mention(kind, "kind")] if kind and is_other_kind(kind, quoted) else []
    quantities = [Mention(text, "quantity") for text in mentions.quantities_missing(asked, evidence)]
    subjects = [Mention(text, "subject") for text in _subjects_missing(result, asked, selection)]
    unknown = [each.text for each in unnamed_codes if each.is_unknown]
    may_be_meant = names.speaks_of_a_class(quoted)
    return Verdict(
        missing=(*unnamed_codes, *unnamed, *kinds, *quantities, *subjects),
        known_alternatives=codes.alternatives(unknown[0], texts) if unknown else (),
        is_refusal=bool(unknown or kinds or (not may_be_meant and any(each.is_unknown for each in unnamed))),
    )


def _codes(asked: str) -> tuple[str, ...]:
    return codes.codes_in(asked)[:MAX_MENTIONS]


def _names_missing(
    result: RetrievalResult, asked: str, selection: QuoteSelection, own_names: Collection[str], texts: Sequence[str]
) -> list[Mention]:
    named = names.without(names.names_in(asked, language=result.language)[:MAX_MENTIONS], own_names)
    if selection.is_other_language:
        # Only of countries it is known what the other language calls them.
        named = tuple(name for name in named if names.is_country(name))
    evidence = _quoted_evidence(selection.quotes)
    return [
        Mention(
            name,
            "name",
            not names.is_known_word(name, result.terms) and not any(names.is_named(name, text) for text in texts),
        )
        for name in named
        if not names.is_named(name, evidence)
    ]


def _subjects_missing(result: RetrievalResult, asked: str, selection: QuoteSelection) -> list[str]:
    """What the question is about, in words that the quoted passages hold nowhere; comparable within a language only.

    What is looked for by its code or its kind of quantity ("the weight") is judged by that.
    """
    is_judged = _codes(asked) or asked_kind(asked) is not None
    if is_judged or selection.is_other_language or result.language == "zh":
        return []
    held: set[str] = set()
    for quote in selection.quotes:
        held = held.union(quote.candidate.headline_terms, *quote.candidate.sentence_terms)
    weights = {term.text: term.weight for term in result.terms}
    all_weight = sum(weights.values())
    return [
        text
        for text, stems in mentions.subjects_in(asked, result.terms)
        if not stems & held and sum(weights[stem] for stem in stems) >= SUBJECT_SHARE * all_weight
    ]

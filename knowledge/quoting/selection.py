"""Which one or two sentences answer a question, and whether they do at all. Pure functions over a retrieval result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import tanh
from typing import Any

from knowledge.chunking.chunks import HEADING_SEPARATOR, Sentence
from knowledge.chunking.pieces import is_fragment
from knowledge.quoting.answerability import DEFAULT_THRESHOLD, Kind, answer_probability, kind_of, threshold_for
from knowledge.quoting.scoring import ScoredSentence, score_sentences
from knowledge.search.retrieval import Candidate, RetrievalResult
from knowledge.sentences import is_question

# A second sentence is quoted when the best one leads by no more than this. Where a reranker read both, the lead is on a scale
# from 0 to 1, on which a difference of LEAD_SCALE is nearly half.
SMALL_MARGIN = 0.06
SMALL_RERANKED_MARGIN = 0.76
LEAD_SCALE = 3.0

# A customer reads the own language's answer more easily: the other language must be this much likelier to hold it.
OTHER_LANGUAGE_LEAD = 0.1
# ... and an answer that is as likely as this in the own language is not looked for in another.
SURE_ENOUGH = 0.8

CUT = " …"


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a passage, or all that is sent with it, word for word; `start` and `end` are offsets in the passage's text.

    `context` is the question that it answers or what introduces it, which is not quoted.
    """

    candidate: Candidate
    start: int
    end: int
    text: str
    score: float = 0.0
    context: str = ""


@dataclass(frozen=True, slots=True)
class QuoteSelection:
    """What would be quoted, and whether it answers the question.

    `score` is the calibrated score that the quotes answer it, `threshold` where the gate closes, `margin` the lead of
    the best sentence over the second (small: both are quoted). `language` is the quotes' own; `is_other_language` says
    that it is not the question's. `features` is the evidence behind the score.
    """

    quotes: tuple[Quote, ...]
    answerable: bool
    score: float
    threshold: float
    margin: float
    language: str
    is_other_language: bool = False
    features: dict[str, float] = field(default_factory=dict, compare=False)


def select_quotes(result: RetrievalResult, *, gate: Mapping[str, Any] | None = None) -> QuoteSelection:
    """The best one or two sentences of the language that is likelier to hold the answer, and the gate's verdict.

    `gate` is the assistant's `refusal_gate`. Without any candidate nothing is quoted and the score is 0.
    """
    own = _select(result, result.own_language, gate)
    other = _select(result, result.other_language, gate)
    if other is not None and (own is None or _prefers(other, own)):
        return other
    return own or QuoteSelection((), False, 0.0, DEFAULT_THRESHOLD, 0.0, result.language)


def whole_quote(candidate: Candidate, sentence: Sentence, *, score: float = 0.0) -> Quote:
    """What is quoted when that sentence of the passage is chosen."""
    start, end = sentence.quoted
    return Quote(candidate, start, end, candidate.text[start:end], score=score, context=sentence.context)


def fitting_quotes(quotes: Sequence[Quote], *, count_tokens: Callable[[str], int], most: int) -> tuple[Quote, ...]:
    """As many of the quotes, the best first, as take `most` tokens together; a single one that is longer is cut.

    Text without full stops is one sentence of hundreds of tokens, and a small model spells numbers digit by digit.
    """
    kept = list(quotes)
    while len(kept) > 1 and count_tokens(join_quotes(kept)) > most:
        kept.remove(min(kept, key=lambda quote: quote.score))
    if not kept or count_tokens(kept[0].text) <= most:
        return tuple(kept)
    text = kept[0].text
    while count_tokens(text + CUT) > most:
        shorter = text[: len(text) * most // count_tokens(text + CUT)]
        end = max(shorter.rfind("\n"), shorter.rfind(" "), len(shorter) * 2 // 3)
        text = shorter[:end].rstrip(" \n,;:，；：、")
    return (replace(kept[0], text=text + CUT),)


def join_quotes(quotes: Sequence[Quote]) -> str:
    """The quotes as one text: Chinese sentences follow each other directly, English ones behind a space.

    Rows, lists, code and what else is no sentence stand on lines of their own.
    """
    text = ""
    for quote in quotes:
        own = quote.text.strip()
        runs_on = not is_fragment(text) and "\n" not in text and "\n" not in own and not is_fragment(own)
        separator = "\n" if not runs_on else "" if quote.candidate.language == "zh" else " "
        text += (separator if text else "") + own
    return text


def gate_scores(result: RetrievalResult) -> dict[Kind, float]:
    """The gate's score for each kind of evidence there is: in the question's language, and across languages."""
    scored = (score_sentences(result, candidates) for candidates in (result.own_language, result.other_language))
    best = [sentences[0] for sentences in scored if sentences]
    return {
        kind_of(result, evidence): answer_probability(evidence, kind=kind_of(result, evidence)) for evidence in best
    }


def _select(
    result: RetrievalResult, candidates: Sequence[Candidate], gate: Mapping[str, Any] | None
) -> QuoteSelection | None:
    scored = score_sentences(result, candidates)
    if not scored:
        return None
    best = scored[0]
    second = next((sentence for sentence in scored if sentence.text != best.text), None)
    margin = _lead(best, second) if second else 1.0
    kind = kind_of(result, best)
    is_close = margin <= (SMALL_MARGIN if best.reranked is None else SMALL_RERANKED_MARGIN)
    chosen = [best, second] if second and is_close and _may_follow(best, second) else [best]
    probability, threshold = answer_probability(best, kind=kind), threshold_for(gate, kind)
    return QuoteSelection(
        quotes=tuple(
            whole_quote(chosen_one.candidate, chosen_one.sentence, score=chosen_one.score)
            for chosen_one in _reading_order(chosen)
        ),
        answerable=probability >= threshold,
        score=probability,
        threshold=threshold,
        margin=margin,
        language=best.candidate.language,
        is_other_language=best.candidate.is_other_language,
        features={
            "cosine": best.cosine,
            "passage_cosine": best.passage_cosine,
            "coverage": best.coverage,
            "passage_coverage": best.passage_coverage,
            "known": best.known,
            **_reranked(best),
        },
    )


def _lead(best: ScoredSentence, second: ScoredSentence) -> float:
    """How far the best is ahead: by its score, or of what a reranker read from 0 (as good) to 1."""
    if best.reranked is None:
        return best.score - second.score
    if second.reranked is None:
        return 1.0
    return tanh((best.score - second.score) / (2 * LEAD_SCALE))


def _reranked(best: ScoredSentence) -> dict[str, float]:
    """What a reranker thinks of the sentence; empty where none read it."""
    own = best.reranked
    return {} if own is None else {"relevance": own.relevance, "answers": own.answers}


def _prefers(other: QuoteSelection, own: QuoteSelection) -> bool:
    """The other language is quoted only when it passes the gate and clearly leads one that is not sure."""
    is_sure = own.answerable and own.score >= SURE_ENOUGH
    return not is_sure and other.answerable and other.score >= own.score + OTHER_LANGUAGE_LEAD


def _may_follow(best: ScoredSentence, second: ScoredSentence) -> bool:
    """An answer to another question says nothing behind this one, nor does another article's list behind a list."""
    is_list = "\n" in best.text or "\n" in second.text
    is_elsewhere = best.candidate.chunk_id != second.candidate.chunk_id
    return _question_of(best) == _question_of(second) and not (is_list and is_elsewhere)


def _question_of(sentence: ScoredSentence) -> str:
    """The question that the sentence answers, in the article's own words; "" for running text."""
    heading = sentence.candidate.heading.rsplit(HEADING_SEPARATOR, 1)[-1]
    return next((text for text in (sentence.sentence.context, heading) if is_question(text)), "")


def _reading_order(chosen: Sequence[ScoredSentence]) -> list[ScoredSentence]:
    """Sentences of one passage in its order, otherwise the best first."""
    if len({sentence.candidate.chunk_id for sentence in chosen}) == 1:
        return sorted(chosen, key=lambda sentence: sentence.position)
    return list(chosen)

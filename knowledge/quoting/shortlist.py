"""Which sentences of a search are worth a reranker's time, as it reads them, and its scores put beside them. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from knowledge.chunking.chunks import sentence_in_context
from knowledge.quoting.scoring import ScoredSentence, score_sentences
from knowledge.search.ranking import RERANK, Score, SentenceScore
from knowledge.search.retrieval import Candidate, RetrievalResult

MOST_SENTENCES = 12
OTHER_LANGUAGE_SENTENCES = 3
# One of the other language's follows so many of the question's.
OWN_FOR_EACH_OTHER = 2

# A sentence that begins so speaks of what the one before it named.
POINTS_BACK = re.compile(
    r"^\W*(?:it|its|they|their|this|that|these|those|both|he|she)\b|^\W*(?:它|该|此|这|其|上述)", re.IGNORECASE
)


def shortlist(result: RetrievalResult, *, most: int = MOST_SENTENCES) -> list[str]:
    """At most so many different texts, the more promising first.

    The best sentence of each of the first passages in the question's language, and three of the other language among them;
    then the best of the rest. What stands in two passages, where one begins with the end of the other, is read once.
    """
    own, other = score_sentences(result, result.own_language), score_sentences(result, result.other_language)
    firsts = _first_of_each(own)
    ordered = [*_mixed(firsts, other[:OTHER_LANGUAGE_SENTENCES]), *own, *other]
    return list(dict.fromkeys(text_to_read(each.candidate, each.position) for each in ordered))[:most]


def text_to_read(candidate: Candidate, position: int) -> str:
    """A sentence behind its title and headings, and behind the sentence that it points back to."""
    compared = candidate.compared
    own = compared[position]
    if position and POINTS_BACK.search(own):
        own = f"{compared[position - 1]} {own}"
    return sentence_in_context(title=candidate.title, heading=candidate.heading, sentence=own)


def with_sentence_scores(result: RetrievalResult, scores: Mapping[str, SentenceScore]) -> RetrievalResult:
    """The result with the scores of these texts beside their sentences, and the best of each passage as its own.

    The passages keep their order; "rerank" ranks them among those of their language.
    """
    scored = [_with_scores(candidate, scores) for candidate in result.candidates]
    ranks: dict[int, int] = {}
    for is_other in (False, True):
        best = {i: _best(each) for i, each in enumerate(scored) if each.is_other_language is is_other}
        found = {i: value for i, value in best.items() if value is not None}
        ranks |= {i: rank for rank, i in enumerate(sorted(found, key=lambda i: -found[i]), 1)}
    return replace(
        result,
        candidates=tuple(
            each
            if i not in ranks
            else replace(each, scores=each.scores | {RERANK: Score(_best(each) or 0.0, ranks[i])})
            for i, each in enumerate(scored)
        ),
    )


def _first_of_each(scored: Sequence[ScoredSentence]) -> list[ScoredSentence]:
    firsts: dict[object, ScoredSentence] = {}
    for each in scored:
        firsts.setdefault(each.candidate.chunk_id, each)
    return list(firsts.values())


def _mixed(own: Sequence[ScoredSentence], other: Sequence[ScoredSentence]) -> Iterator[ScoredSentence]:
    """Both in their orders, so that the first few hold some of each."""
    waiting = iter(other)
    for place, each in enumerate(own, 1):
        yield each
        if place % OWN_FOR_EACH_OTHER == 0 and (following := next(waiting, None)) is not None:
            yield following
    yield from waiting


def _with_scores(candidate: Candidate, scores: Mapping[str, SentenceScore]) -> Candidate:
    own = tuple(scores.get(text_to_read(candidate, position)) for position in range(len(candidate.sentences)))
    return replace(candidate, sentence_scores=own)


def _best(candidate: Candidate) -> float | None:
    return max((each.relevance for each in candidate.sentence_scores if each is not None), default=None)

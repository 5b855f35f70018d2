"""Which sentences of a search are worth a reranker's time, as it reads them, and its scores put beside them. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from knowledge.chunking.chunks import sentence_to_read
from knowledge.quoting.scoring import ScoredSentence, score_sentences
from knowledge.search.ranking import RERANK, Score, SentenceScore
from knowledge.search.retrieval import Candidate, RetrievalResult

MOST_SENTENCES = 12
OTHER_LANGUAGE_SENTENCES = 3
# One of the other language's follows so many of the question's.
OWN_FOR_EACH_OTHER = 2


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
    before = compared[position - 1] if position else ""
    return sentence_to_read(
        title=candidate.title, heading=candidate.heading, sentence=compared[position], before=before
    )


def with_sentence_scores(result: RetrievalResult, scores: Mapping[str, SentenceScore]) -> RetrievalResult:
    """The result with the scores of these texts beside their sentences, its passages in the order of their best sentences.

    A passage's own score, "rerank", is its best sentence's. Those that were not read follow in the order that they had.
    """
    own, other = (
        _reordered(result, [_with_scores(candidate, scores) for candidate in candidates])
        for candidates in (result.own_language, result.other_language)
    )
    return replace(result, candidates=(*own, *other))


def _reordered(result: RetrievalResult, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The passages of one language, those that were read first."""
    best = {each.candidate.chunk_id: each for each in reversed(score_sentences(result, candidates)) if each.reranked}
    read = sorted((each for each in candidates if each.chunk_id in best), key=lambda each: -best[each.chunk_id].score)
    ranked = [
        replace(each, scores=each.scores | {RERANK: Score(_best(each), rank)}) for rank, each in enumerate(read, 1)
    ]
    return [*ranked, *(each for each in candidates if each.chunk_id not in best)]


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


def _best(candidate: Candidate) -> float:
    return max(each.relevance for each in candidate.sentence_scores if each is not None)

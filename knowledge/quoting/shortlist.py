"""Which sentences of a search are worth a reranker's time, as it reads them, and its scores put beside them. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from knowledge.chunking.chunks import sentence_to_read
from knowledge.quoting.scoring import ScoredSentence, score_sentences
from knowledge.search.ranking import RERANK, Score, SentenceScore
from knowledge.search.retrieval import Candidate, RetrievalResult

MOST_SENTENCES = 16
OTHER_LANGUAGE_SENTENCES = 3
# One of the other language's follows so many of the question's.
OWN_FOR_EACH_OTHER = 2
# How promising a sentence is: its cosine, plus so much of its passage's, of the share of the question's words that it has,
# and of its passage's place. Chosen by how often the answer is among the first MOST_SENTENCES of the demo companies.
PASSAGE_WEIGHT, COVERAGE_WEIGHT, PLACE_WEIGHT = 0.5, 0.1, -0.004


def shortlist(result: RetrievalResult, *, most: int = MOST_SENTENCES) -> list[str]:
    """At most so many different texts, the more promising first, with three of the other language among them.

    All passages of the result are looked through: the answer is often not in the first, nor the best of its passage. What
    stands in two passages, where one begins with the end of the other, is read once.
    """
    own, other = _most_promising(result, result.own_language), _most_promising(result, result.other_language)
    ordered = [*_mixed(own, other[:OTHER_LANGUAGE_SENTENCES]), *other]
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
    scored = score_sentences(result, candidates, most=len(candidates))
    best = {each.candidate.chunk_id: each for each in reversed(scored) if each.reranked}
    read = sorted((each for each in candidates if each.chunk_id in best), key=lambda each: -best[each.chunk_id].score)
    ranked = [
        replace(each, scores=each.scores | {RERANK: Score(_best(each), rank)}) for rank, each in enumerate(read, 1)
    ]
    return [*ranked, *(each for each in candidates if each.chunk_id not in best)]


def _most_promising(result: RetrievalResult, candidates: Sequence[Candidate]) -> list[ScoredSentence]:
    places = {candidate.chunk_id: place for place, candidate in enumerate(candidates)}

    def promise(each: ScoredSentence) -> float:
        words = COVERAGE_WEIGHT * each.coverage + PLACE_WEIGHT * places[each.candidate.chunk_id]
        return each.cosine + PASSAGE_WEIGHT * each.passage_cosine + words

    return sorted(score_sentences(result, candidates, most=len(candidates)), key=promise, reverse=True)


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

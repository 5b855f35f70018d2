"""How well each sentence of the best passages fits a question: by vectors, by words, by a reranker that read it. Pure numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.chunking.chunks import Sentence
from knowledge.search.ranking import SentenceScore
from knowledge.search.retrieval import Candidate, RetrievalResult
from knowledge.search.statements import centre
from knowledge.search.terms import coverage

TOP_PASSAGES = 5

# Chosen on the development halves of XQuAD (both languages) and the CMRC 2018 trial set. More weight on words quotes
# CMRC's paraphrased questions worse.
PASSAGE_WEIGHT = 0.5
COVERAGE_WEIGHT = 0.07
RANK_PENALTY = 0.01
# What vectors and words count beside a reranker's relevance (log-odds), from 20 to 60 nearly the same on the demo companies'
# questions. The place among the passages says nothing more then.
BESIDE_RELEVANCE = 30.0

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence with its evidence.

    Cosines to the question (its own and its passage's), and weighted shares, 0 to 1, of the question's words that the
    sentence, its passage, and any of the tenant's passages (`known`) contain. `reranked` are the log-odds that a reranker
    gave it, None when none read it. `score` is for the choice of a sentence; scores of read and unread ones do not compare.
    """

    candidate: Candidate
    position: int
    cosine: float
    passage_cosine: float
    coverage: float
    passage_coverage: float
    known: float
    score: float
    reranked: SentenceScore | None = None

    @property
    def sentence(self) -> Sentence:
        """Where it stands, what is quoted with it, and what it answers."""
        return self.candidate.sentences[self.position]

    @property
    def text(self) -> str:
        """What is quoted when it is chosen, word for word."""
        return self.candidate.text[slice(*self.sentence.quoted)]


def score_sentences(
    result: RetrievalResult, candidates: Sequence[Candidate], *, most: int = TOP_PASSAGES
) -> list[ScoredSentence]:
    """The sentences of the first `most` of the candidates (all in one language), best first.

    Those that a reranker read come before the others. Vectors of another language than the question's are compared after
    taking each language's mean from its vectors. A passage that is still to be embedded counts as an average one; without a
    vector of the question words decide.
    """
    known = coverage(result.terms, {term.text for term in result.terms if term.frequency})
    scored = [
        sentence
        for place, candidate in enumerate(candidates[:most])
        for sentence in _score_passage(result, candidate, place, known)
    ]
    return sorted(scored, key=lambda sentence: (sentence.reranked is None, -sentence.score))


def _score_passage(result: RetrievalResult, candidate: Candidate, place: int, known: float) -> list[ScoredSentence]:
    passage_coverage = coverage(result.terms, candidate.headline_terms.union(*candidate.sentence_terms))
    passage_cosine = _cosines(result, candidate, candidate.vector, rows=1)[0]
    cosines = _cosines(result, candidate, candidate.sentence_vectors, rows=len(candidate.sentences))
    scored = []
    for position, (cosine, terms) in enumerate(zip(cosines, candidate.sentence_terms, strict=True)):
        share = coverage(result.terms, terms)
        score = cosine + PASSAGE_WEIGHT * passage_cosine + COVERAGE_WEIGHT * share
        reranked = candidate.sentence_scores[position] if candidate.sentence_scores else None
        if reranked is None:
            score -= RANK_PENALTY * place
        else:
            score = reranked.relevance + BESIDE_RELEVANCE * score
        scored.append(
            ScoredSentence(candidate, position, cosine, passage_cosine, share, passage_coverage, known, score, reranked)
        )
    return scored


def _cosines(result: RetrievalResult, candidate: Candidate, vectors: Vector | None, *, rows: int) -> list[float]:
    if result.query_vector is None:
        return [0.0] * rows
    mean = result.means.get(candidate.language)
    if vectors is None:
        return [0.0 if mean is None or candidate.is_other_language else float(mean @ result.query_vector)] * rows
    matrix, query = np.atleast_2d(vectors), result.query_vector
    if candidate.is_other_language:
        matrix, query = centre(matrix, mean), centre(query, result.query_mean)
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(query)
    return [float(cosine) for cosine in matrix @ query / np.maximum(lengths, 1e-9)]

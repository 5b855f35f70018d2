"""Hybrid search over one tenant's published passages: by meaning, by words, and across languages.

The scan is exact. Under row-level security `@@` could not use its index anyway, and an approximate vector index would
be filtered after the fact; one tenant's passages are few enough to look at all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import numpy as np
import numpy.typing as npt

from helpdesk.tenants.scope import tenant_atomic
from knowledge import queries
from knowledge.chunking.chunks import Sentence, compared_text, read_sentence
from knowledge.exact import read_exactly
from knowledge.models import Chunk
from knowledge.search import statements
from knowledge.search.ranking import Ranked, Score, SentenceScore, fuse, reserve_slots
from knowledge.search.retrievers import RETRIEVERS, Retriever, retrieve
from knowledge.search.statements import SearchQuery
from knowledge.search.terms import QueryTerm, weigh, without_function_words
from knowledge.sentence_vectors import read_sentence_vectors
from knowledge.text import compared_terms, detect_language, search_terms

DEFAULT_LIMIT, OTHER_LANGUAGE_SLOTS = 9, 4
# What a reranker chooses among.
POOL_LIMIT, POOL_OTHER_LANGUAGE_SLOTS = 24, 6
LIST_DEPTH = 50
MAX_QUERY_CHARACTERS = 1_000

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may hold the answer, and how it was found.

    `scores` are those of the lists that hold it, by the retriever's name, and "fused", the sum of reciprocal ranks; they
    compare among the passages of its language only. `updated_at` is when the version was saved. `sentences` say what is
    compared and what is quoted; the rows of `sentence_vectors` and `sentence_terms` stand in the same order, and so do
    `sentence_scores`: None for a sentence that no reranker read, empty where there is none. Then "rerank" is the best of them.
    """

    chunk_id: UUID
    article_id: UUID
    version: int
    slug: str
    title: str
    heading: str
    language: str
    text: str
    start: int
    updated_at: datetime
    sentences: tuple[Sentence, ...]
    scores: dict[str, Score] = field(hash=False)
    is_other_language: bool = False
    vector: Vector | None = field(default=None, compare=False, repr=False)
    sentence_vectors: Vector | None = field(default=None, compare=False, repr=False)
    headline_terms: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    sentence_terms: tuple[frozenset[str], ...] = field(default=(), compare=False, repr=False)
    sentence_scores: tuple[SentenceScore | None, ...] = field(default=(), compare=False, repr=False)

    @property
    def headline(self) -> str:
        """Title and headings as one line."""
        return " ".join(part for part in (self.title, self.heading) if part)

    @property
    def compared(self) -> tuple[str, ...]:
        """The sentences' texts, each behind the question or lead-in that it belongs to."""
        return tuple(compared_text(self.text, sentence) for sentence in self.sentences)

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """The whole text as offsets of what is quoted together, each with what is shown before it."""
        ends = sorted({sentence.quoted[1] for sentence in self.sentences})
        return tuple(zip([0, *ends], ends, strict=False))


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """What was found for one question: passages of either language by their ranks, in turn.

    `terms` are the question's words with their weights among the tenant's passages, `means` the mean vector of each
    language's passages, `query_mean` that of questions in the query's language, `embedded_with` the model behind the
    vectors, `passage_counts` how many passages each language has.
    """

    query: str
    language: str
    query_vector: Vector | None
    candidates: tuple[Candidate, ...]
    terms: tuple[QueryTerm, ...] = ()
    means: dict[str, Vector] = field(default_factory=dict)
    query_mean: Vector | None = None
    embedded_with: str = ""
    passage_counts: dict[str, int] = field(default_factory=dict)

    @property
    def own_language(self) -> tuple[Candidate, ...]:
        """The candidates in the question's language, best first."""
        return tuple(candidate for candidate in self.candidates if not candidate.is_other_language)

    @property
    def other_language(self) -> tuple[Candidate, ...]:
        """The candidates in another language, best first."""
        return tuple(candidate for candidate in self.candidates if candidate.is_other_language)


def search(
    *,
    tenant_id: UUID,
    query: str,
    query_vector: Sequence[float] | Vector | None,
    language: str = "",
    limit: int = DEFAULT_LIMIT,
    other_language_slots: int = OTHER_LANGUAGE_SLOTS,
    retrievers: Sequence[Retriever] = RETRIEVERS,
) -> RetrievalResult:
    """The passages of the tenant that may answer the question, best first.

    Own-language passages are ranked by each retriever, fused by reciprocal rank. Passages of the other language come from
    lists of their own and keep reserved slots: in one list with the others they are never found. Without a vector (the
    embedding model is down) only words count. An empty `language` is detected from the question.
    Opens the tenant's scope itself: the database checks again what may be seen.
    """
    query = query[:MAX_QUERY_CHARACTERS].strip()
    language = language or detect_language(query)
    vector = None if query_vector is None else np.asarray(query_vector, np.float32)
    with tenant_atomic(tenant_id):
        known = statements.statistics(tenant_id=tenant_id, query=query, language=language)
        lists = retrieve(SearchQuery(tenant_id, language, vector, known, depth=max(LIST_DEPTH, limit)), retrievers)
        own = fuse(lists.own, weights=lists.own_weights)
        other = fuse(lists.other, is_other_language=True, weights=lists.other_weights)
        places = reserve_slots(own, other, limit=limit, reserved=other_language_slots)
        candidates = _with_sentence_terms(_load(places), language)
    meaningful = _meaningful_terms(query, language, known.terms)
    frequencies = {term: lists.frequencies.get(term, 0) for term in meaningful}
    return RetrievalResult(
        query=query,
        language=language,
        query_vector=vector,
        candidates=candidates,
        terms=weigh(frequencies, passages=known.counts.get(language, 0)),
        means=known.means,
        query_mean=known.query_mean,
        embedded_with=known.embedded_with,
        passage_counts=known.counts,
    )


def first_places(
    result: RetrievalResult, *, limit: int = DEFAULT_LIMIT, reserved: int = OTHER_LANGUAGE_SLOTS
) -> RetrievalResult:
    """The result with its first `limit` passages only, in their order; so many places are the other language's."""
    if len(result.candidates) <= limit:
        return result
    kept = reserve_slots(result.own_language, result.other_language, limit=limit, reserved=reserved)
    places = {candidate.chunk_id for candidate in kept}
    return replace(result, candidates=tuple(each for each in result.candidates if each.chunk_id in places))


def _load(places: Sequence[Ranked]) -> list[Candidate]:
    """The passages themselves, in the order of their places; one that was archived meanwhile is left out."""
    chunks = queries.passages().select_related("article", "version").in_bulk([place.chunk_id for place in places])
    return [_candidate(chunks[place.chunk_id], place) for place in places if place.chunk_id in chunks]


def _candidate(chunk: Chunk, place: Ranked) -> Candidate:
    sentences = tuple(read_sentence(row) for row in chunk.sentences)
    return Candidate(
        chunk_id=chunk.pk,
        article_id=chunk.article_id,
        version=chunk.version.number,
        slug=chunk.article.slug,
        title=chunk.version.title,
        heading=chunk.heading,
        language=chunk.language,
        text=chunk.text,
        start=chunk.start,
        updated_at=chunk.version.created_at,
        sentences=sentences,
        scores=place.scores,
        is_other_language=place.is_other_language,
        vector=None if chunk.embedding is None else np.asarray(chunk.embedding, np.float32),
        sentence_vectors=read_sentence_vectors(chunk.sentence_embeddings, sentences=len(sentences)),
    )


def _with_sentence_terms(candidates: Sequence[Candidate], language: str) -> tuple[Candidate, ...]:
    """Each candidate with its headline's and sentences' terms, made like the question's so that they compare."""
    texts = [text for candidate in candidates for text in (candidate.headline, *candidate.compared)]
    if language == "zh":
        found = iter([compared_terms(text) for text in texts])
    else:
        found = iter(statements.english_terms(texts))
    return tuple(
        replace(
            candidate,
            headline_terms=next(found),
            sentence_terms=tuple(next(found) for _ in candidate.sentences),
        )
        for candidate in candidates
    )


def _meaningful_terms(query: str, language: str, terms: Sequence[str]) -> list[str]:
    if language != "zh":
        return list(terms)
    read = read_exactly(query)
    kept = {*read.terms, *read.words, *search_terms(without_function_words(read.rest))}
    return [term for term in terms if term in kept]

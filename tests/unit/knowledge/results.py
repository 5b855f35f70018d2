"""Retrieval results made by hand: sentences with the vectors that a test wants."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from knowledge.chunking.chunks import Sentence
from knowledge.search.ranking import Score
from knowledge.search.retrieval import Candidate, RetrievalResult
from knowledge.search.terms import QueryTerm

MODEL = "multilingual-e5-small"


def direction(cosine: float) -> np.ndarray:
    """A unit vector of two dimensions with this cosine to the question's, which is (1, 0)."""
    return np.asarray([cosine, np.sqrt(1 - cosine**2)], np.float32)


def make_candidate(
    sentences: Sequence[tuple[str, float]],
    *,
    cosine: float = 0.9,
    rank: int = 1,
    language: str = "en",
    terms: Sequence[frozenset[str]] = (),
    is_other_language: bool = False,
) -> Candidate:
    """A passage of these sentences, each with its cosine to the question."""
    text, spans = "", []
    for sentence, _ in sentences:
        start = len(text) + bool(text)
        text = f"{text} {sentence}" if text else sentence
        spans.append((start, start + len(sentence)))
    return Candidate(
        chunk_id=uuid.uuid4(),
        article_id=uuid.uuid4(),
        version=1,
        slug="returns",
        title="Returns",
        heading="",
        language=language,
        text=text,
        start=0,
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        sentences=tuple(Sentence(start, end, (start, end)) for start, end in spans),
        scores={"fused": Score(0.03, rank)},
        is_other_language=is_other_language,
        vector=direction(cosine),
        sentence_vectors=np.stack([direction(own) for _, own in sentences]),
        sentence_terms=tuple(terms) or (frozenset(),) * len(spans),
    )


def make_result(
    *candidates: Candidate, terms: Sequence[str] = (), language: str = "en", model: str = MODEL, embedded: bool = True
) -> RetrievalResult:
    """The result of a question whose vector is (1, 0) and whose terms weigh the same."""
    return RetrievalResult(
        query="Can I return a pot?",
        language=language,
        query_vector=direction(1.0) if embedded else None,
        candidates=candidates,
        terms=tuple(QueryTerm(term, 1, 1.0) for term in terms),
        embedded_with=f"{model}@1",
    )

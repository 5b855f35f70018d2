"""The statements of a search. All run in the tenant's scope and name the tenant too: two layers, one answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import connection

from knowledge.folding import folded
from knowledge.search.query_means import query_mean
from knowledge.search.ranking import Hit, RankedLists
from knowledge.text import lexical_input

Vector = npt.NDArray[np.float32]

# Below this a language's mean says more about its few passages than about the language.
MIN_PASSAGES_FOR_MEAN = 8

PASSAGES = """
    WITH passages AS NOT MATERIALIZED (
        SELECT chunk.id, chunk.language, chunk.embedding, chunk.embedded_with, chunk.lexemes
        FROM knowledge_chunk AS chunk
        JOIN knowledge_article AS article ON article.tenant_id = chunk.tenant_id AND article.id = chunk.article_id
        WHERE chunk.tenant_id = %(tenant)s
          AND article.status = 'published' AND article.published_version_id = chunk.version_id
    )"""

STATISTICS = """
    SELECT language, count(*), count(embedding), avg(embedding)::text, max(embedded_with),
           tsvector_to_array(to_tsvector(%(configuration)s::regconfig, %(query)s))
    FROM passages GROUP BY language"""

BY_MEANING = """
    (SELECT 'dense', id::text, 1 - (embedding <=> %(vector)s::vector) AS score
     FROM passages WHERE language = %(language)s AND embedding IS NOT NULL
     ORDER BY score DESC, id LIMIT %(depth)s)"""

BY_WORDS = """
    (SELECT 'lexical', id::text, ts_rank(lexemes, %(words)s::tsquery, 1) AS score
     FROM passages WHERE language = %(language)s AND lexemes @@ %(words)s::tsquery
     ORDER BY score DESC, id LIMIT %(depth)s)"""

OTHER_LANGUAGE = """
    (SELECT 'other', id::text, 1 - ((embedding - %(other_mean)s::vector) <=> %(centred)s::vector) AS score
     FROM passages WHERE language = %(other)s AND embedding IS NOT NULL
     ORDER BY score DESC, id LIMIT %(depth)s)"""

FREQUENCIES = """
    (SELECT 'term', term, count(passages.id)::float
     FROM unnest(%(terms)s::text[], %(term_queries)s::text[]) AS terms (term, term_query)
     LEFT JOIN passages ON language = %(language)s AND lexemes @@ term_query::tsquery
     GROUP BY term)"""

SENTENCE_TERMS = """
    SELECT tsvector_to_array(to_tsvector('english', sentence))
    FROM unnest(%(sentences)s::text[]) WITH ORDINALITY AS sentences (sentence, position) ORDER BY position"""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The tenant's passages by language: how many, and their mean vector where there are enough.

    `query_mean` is what questions of the query's language have in common, `embedded_with` the model of the vectors,
    `terms` are the query's.
    """

    counts: dict[str, int]
    means: dict[str, Vector]
    query_mean: Vector | None
    embedded_with: str
    terms: tuple[str, ...]


def statistics(*, tenant_id: UUID, query: str, language: str) -> Statistics:
    """Counts and mean vectors of the published passages; the query as search terms of its language."""
    configuration, prepared = lexical_input(query, language)
    with connection.cursor() as cursor:
        cursor.execute(PASSAGES + STATISTICS, {"tenant": tenant_id, "configuration": configuration, "query": prepared})
        rows = cursor.fetchall()
    means = {row[0]: read_vector(row[3]) for row in rows if row[2] >= MIN_PASSAGES_FOR_MEAN}
    embedded_with = max((row[4] for row in rows), default="")
    shipped = query_mean(language, embedded_with=embedded_with)
    return Statistics(
        counts={row[0]: row[1] for row in rows},
        means=means,
        query_mean=means.get(language) if shipped is None else shipped,
        embedded_with=embedded_with,
        terms=tuple(rows[0][5]) if rows else (),
    )


def ranked_lists(
    *, tenant_id: UUID, language: str, vector: Vector | None, known: Statistics, depth: int
) -> RankedLists:
    """The dense, lexical and other-language list of a query, each `depth` long, and its terms' frequencies."""
    parameters: dict[str, UUID | str | int | list[str]] = {"tenant": tenant_id, "language": language, "depth": depth}
    parts: list[str] = []
    if known.terms:
        quoted = [quote_term(term) for term in known.terms]
        parameters |= {"words": " | ".join(quoted), "terms": list(known.terms), "term_queries": quoted}
        parts += [BY_WORDS, FREQUENCIES]
    if vector is not None:
        parts.append(BY_MEANING)
        parameters["vector"] = write_vector(vector)
        other = next((name for name in sorted(known.counts) if name != language), None)
        if other is not None:
            parts.append(OTHER_LANGUAGE)
            parameters |= {"other": other, **_centred(vector, other, known)}
    if not parts:
        return RankedLists()
    with connection.cursor() as cursor:
        cursor.execute(PASSAGES + " UNION ALL ".join(parts), parameters)
        rows: list[tuple[str, str, float]] = cursor.fetchall()
    return _lists(rows)


def english_terms(texts: Sequence[str]) -> list[frozenset[str]]:
    """The stems of each text as PostgreSQL makes them, so that they match the stored ones."""
    if not texts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(SENTENCE_TERMS, {"sentences": [folded(text) for text in texts]})
        return [frozenset(row[0]) for row in cursor.fetchall()]


def quote_term(term: str) -> str:
    """A lexeme as a literal inside a tsquery."""
    doubled = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def write_vector(vector: Vector) -> str:
    """pgvector's text form."""
    return json.dumps([float(number) for number in vector])


def read_vector(text: str) -> Vector:
    """From pgvector's text form."""
    return np.asarray(json.loads(text), np.float32)


def centre(vector: Vector, mean: Vector | None) -> Vector:
    """The vector without what all texts of its language have in common; unchanged when that is not known."""
    return vector if mean is None else vector - mean


def _centred(vector: Vector, other: str, known: Statistics) -> dict[str, str]:
    """The query without its language's mean, and the other language's mean to take from its passages."""
    other_mean = known.means.get(other, np.zeros_like(vector))
    return {
        "centred": write_vector(centre(vector, known.query_mean)),
        "other_mean": write_vector(other_mean),
    }


def _lists(rows: Sequence[tuple[str, str, float]]) -> RankedLists:
    hits: dict[str, list[Hit]] = {"dense": [], "lexical": [], "other": []}
    frequencies: dict[str, int] = {}
    for kind, key, score in rows:
        if kind == "term":
            frequencies[key] = int(score)
        else:
            hits[kind].append(Hit(UUID(key), float(score)))
    ordered = {kind: tuple(sorted(found, key=lambda hit: (-hit.score, hit.chunk_id))) for kind, found in hits.items()}
    return RankedLists(**ordered, frequencies=frequencies)

"""The statements of a search. All run in the tenant's scope and name the tenant too: two layers, one answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import connection

from knowledge.exact import exact_terms
from knowledge.search.query_means import passage_mean, query_mean
from knowledge.search.ranking import Hit
from knowledge.text import lexical_input, lexical_question

Vector = npt.NDArray[np.float32]

# Below this a language's mean says more about its few passages than about the language.
MIN_PASSAGES_FOR_MEAN = 8
# ... and with the packaged model so many passages of other collections are counted in.
PACKAGED_PASSAGES = 20

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
           tsvector_to_array(to_tsvector(%(configuration)s::regconfig, %(query)s)), {foreign}
    FROM passages GROUP BY language"""

# What of the question stands in passages of the other language, in the form in which they hold it.
FOREIGN_WORDS = {
    "zh": "tsvector_to_array(to_tsvector('english', array_to_string(%(foreign)s::text[], ' ')))",
    "en": "%(foreign)s::text[]",
}

LISTED = """
    (SELECT '{place}', id::text, {score} AS score
     FROM passages WHERE {where}
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
    `terms` are the query's, `foreign_terms` those of them that may stand in a passage of the other language as well.
    """

    counts: dict[str, int]
    means: dict[str, Vector]
    query_mean: Vector | None
    embedded_with: str
    terms: tuple[str, ...]
    foreign_terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What the retrievers are asked: the question's vector (None while the embedding model is down), its terms and what is
    known of the tenant's passages. Lists are at most `depth` long."""

    tenant_id: UUID
    language: str
    vector: Vector | None
    known: Statistics
    depth: int

    @property
    def quoted_terms(self) -> tuple[str, ...]:
        """The terms as literals inside a tsquery."""
        return tuple(quote_term(term) for term in self.known.terms)

    @property
    def other_language(self) -> str | None:
        """The language of the tenant's other passages; None when there are none."""
        return next((name for name in sorted(self.known.counts) if name != self.language), None)


@dataclass(frozen=True, slots=True)
class Select:
    """Which passages a list holds and what orders it, as SQL over `passages` (see PASSAGES); the highest score is best.

    `tenant`, `language` and `depth` are parameters of every statement; `parameters` are the select's own.
    """

    score: str
    where: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def given(self, **parameters: Any) -> Select:
        """The same select with these parameters."""
        return replace(self, parameters=parameters)


def statistics(*, tenant_id: UUID, query: str, language: str) -> Statistics:
    """Counts and mean vectors of the published passages; the query as search terms of its language."""
    asked = lexical_question(query, language)
    parameters: dict[str, Any] = {
        "tenant": tenant_id,
        "configuration": asked.configuration,
        "query": asked.prepared,
        "foreign": list(asked.foreign_words),
    }
    with connection.cursor() as cursor:
        cursor.execute(PASSAGES + STATISTICS.format(foreign=FOREIGN_WORDS[language]), parameters)
        rows = cursor.fetchall()
    embedded_with = max((row[4] for row in rows), default="")
    means = {}
    for name, _, embedded, mean, *_ in rows:
        steadied = _mean(name, embedded, mean, embedded_with)
        if steadied is not None:
            means[name] = steadied
    shipped = query_mean(language, embedded_with=embedded_with)
    return Statistics(
        counts={row[0]: row[1] for row in rows},
        means=means,
        query_mean=means.get(language) if shipped is None else shipped,
        embedded_with=embedded_with,
        terms=_each_once(rows[0][5], asked.exact) if rows else (),
        foreign_terms=_each_once(rows[0][6], asked.exact) if rows else (),
    )


def ranked_lists(
    query: SearchQuery, selects: Mapping[int, Select]
) -> tuple[dict[int, tuple[Hit, ...]], dict[str, int]]:
    """The list of each select under its key, `depth` long, and in how many passages each term of the query occurs."""
    parameters: dict[str, Any] = {"tenant": query.tenant_id, "language": query.language, "depth": query.depth}
    parts: list[str] = []
    for place, select in selects.items():
        parts.append(LISTED.format(place=place, score=select.score, where=select.where))
        if clashing := parameters.keys() & select.parameters.keys():
            raise ValueError(f"two parts of a search name their parameters alike: {', '.join(sorted(clashing))}")
        parameters |= select.parameters
    if query.known.terms:
        parts.append(FREQUENCIES)
        parameters |= {"terms": list(query.known.terms), "term_queries": list(query.quoted_terms)}
    if not parts:
        return {}, {}
    with connection.cursor() as cursor:
        cursor.execute(PASSAGES + " UNION ALL ".join(parts), parameters)
        rows: list[tuple[str, str, float]] = cursor.fetchall()
    return _lists(rows, selects)


def english_terms(texts: Sequence[str]) -> list[frozenset[str]]:
    """The terms of each text: stems as PostgreSQL makes them, so that they match the stored ones, and exact ones."""
    if not texts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(SENTENCE_TERMS, {"sentences": [lexical_input(text, "en")[1] for text in texts]})
        return [exact_terms(text).union(row[0]) for text, row in zip(texts, cursor.fetchall(), strict=True)]


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


def _mean(language: str, embedded: int, mean: str | None, embedded_with: str) -> Vector | None:
    """What the language's vectors have in common: the tenant's own mean, the less so the fewer passages it is made of."""
    packaged = passage_mean(language, embedded_with=embedded_with)
    if mean is None or (packaged is None and embedded < MIN_PASSAGES_FOR_MEAN):
        return None
    own = read_vector(mean)
    if packaged is None:
        return own
    together: Vector = (own * embedded + packaged * PACKAGED_PASSAGES) / np.float32(embedded + PACKAGED_PASSAGES)
    return together


def _each_once(*lists: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(lists)))


def _lists(
    rows: Sequence[tuple[str, str, float]], places: Iterable[int]
) -> tuple[dict[int, tuple[Hit, ...]], dict[str, int]]:
    hits: dict[int, list[Hit]] = {place: [] for place in places}
    frequencies: dict[str, int] = {}
    for kind, key, score in rows:
        if kind == "term":
            frequencies[key] = int(score)
        else:
            hits[int(kind)].append(Hit(UUID(key), float(score)))
    ordered = {place: tuple(sorted(each, key=lambda hit: (-hit.score, hit.chunk_id))) for place, each in hits.items()}
    return ordered, frequencies

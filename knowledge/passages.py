"""The passages of a version in the database: written at publication, completed with vectors by the inference worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVector, SearchVectorCombinable, SearchVectorField
from django.db import DataError
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.expressions import CombinedExpression

from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.tenants.scope import tenant_atomic
from knowledge import state
from knowledge.chunking.chunks import (
    TEXT_VERSION,
    compared_text,
    read_sentence,
    searched_text,
    sentence_in_context,
    split_article,
)
from knowledge.errors import CannotRead
from knowledge.exact import exact_terms
from knowledge.models import EMBEDDING_DIMENSIONS, Article, ArticleVersion, Chunk
from knowledge.sentence_vectors import write_sentence_vectors
from knowledge.text import lexical_input

logger = structlog.get_logger(__name__)


class WrongVector(ValueError):
    """The embedding model gave vectors of another size than the database holds."""


@dataclass(frozen=True, slots=True)
class ChunkToEmbed:
    """What the embedding model reads of a passage: the passage under its headings, and each sentence under them,
    behind the question or lead-in that it belongs to."""

    chunk_id: UUID
    text: str
    passage: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChunkEmbedding:
    """The vectors of a passage: one of the whole, one row for each sentence."""

    chunk_id: UUID
    vector: Sequence[float]
    sentence_vectors: Sequence[Sequence[float]]
    token_count: int

    def __post_init__(self) -> None:
        sizes = {len(self.vector), *(len(vector) for vector in self.sentence_vectors)}
        if sizes != {EMBEDDING_DIMENSIONS}:
            raise WrongVector(
                f"The embedding model gives vectors of {sorted(sizes)} numbers; the desk stores {EMBEDDING_DIMENSIONS}."
            )


# What cutting or storing raises for a text that is too much for it: nested or chained too deeply, a number or an offset
# that does not fit, a value that the database does not take.
_TOO_MUCH = (RecursionError, ValueError, LookupError, OverflowError, DataError)


def write_passages(article: Article, version: ArticleVersion) -> int:
    """Replace the article's passages by those of the version, searchable by their words; returns how many.

    Raises CannotRead, and then the transaction has to be undone.
    """
    try:
        return _write_passages(article, version)
    except _TOO_MUCH as error:
        logger.warning("text_not_readable", version_id=str(version.pk), error=type(error).__name__)
        raise CannotRead from error


def _write_passages(article: Article, version: ArticleVersion) -> int:
    Chunk.objects.filter(article=article).delete()
    written = Chunk.objects.bulk_create(
        Chunk(
            article=article,
            version=version,
            language=article.language,
            position=passage.position,
            heading=passage.heading,
            start=passage.start,
            text=passage.text,
            token_count=passage.token_count,
            sentences=[sentence.as_row for sentence in passage.sentences],
            text_version=TEXT_VERSION,
            lexemes=_lexemes(
                searched_text(title=version.title, heading=passage.heading, text=passage.text), article.language
            ),
        )
        for passage in split_article(version.body)
    )
    note(Kind.EMBEDDINGS)
    return len(written)


def chunks_to_embed(
    *, tenant_id: UUID, version_id: UUID | None = None, chunk_ids: Sequence[UUID] = ()
) -> list[ChunkToEmbed]:
    """The passages of the version, or those named, that have no vector yet; none of what is no longer published."""
    wanted = Q(pk__in=chunk_ids) if version_id is None else Q(version_id=version_id)
    with tenant_atomic(tenant_id):
        chunks = Chunk.objects.filter(
            wanted, article__published_version_id=F("version_id"), embedding__isnull=True
        ).select_related("version")
        return [
            ChunkToEmbed(
                chunk_id=chunk.pk,
                text=chunk.text,
                passage=searched_text(title=chunk.version.title, heading=chunk.heading, text=chunk.text),
                sentences=tuple(
                    sentence_in_context(
                        title=chunk.version.title,
                        heading=chunk.heading,
                        sentence=compared_text(chunk.text, read_sentence(row)),
                    )
                    for row in chunk.sentences
                ),
            )
            for chunk in chunks.order_by("position")
        ]


def store_embeddings(*, tenant_id: UUID, embeddings: Sequence[ChunkEmbedding], embedded_with: str) -> int:
    """Keep the vectors; returns how many passages took them (those of a replaced version are gone)."""
    with tenant_atomic(tenant_id):
        stored = sum(
            Chunk.objects.filter(pk=item.chunk_id).update(
                embedding=list(item.vector),
                sentence_embeddings=write_sentence_vectors(item.sentence_vectors),
                token_count=item.token_count,
                embedded_with=embedded_with[:200],
            )
            for item in embeddings
        )
        if stored:
            state.note_change()
        return stored


class _ExactTerms(SearchVectorCombinable, Func):
    """Terms as they are, past the parser, which would cut "7.5kg" in two."""

    function = "array_to_tsvector"
    output_field = SearchVectorField()


def _lexemes(text: str, language: str) -> CombinedExpression:
    configuration, prepared = lexical_input(text, language)
    terms = sorted(exact_terms(text))
    words = SearchVector(Value(prepared), config=configuration)
    return words + _ExactTerms(Value(terms, output_field=ArrayField(TextField())))

"""Vectors of passages and their sentences: fetch, compute without a transaction, store."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from inference_worker.engine.contract import Embedder
from knowledge.passages import ChunkEmbedding, ChunkToEmbed, chunks_to_embed, store_embeddings
from knowledge.search.retrieval import RetrievalResult

# Small batches reach the database early: a long article becomes searchable part by part.
CHUNKS_PER_BATCH = 4
# Somebody waits for these: a second or two on one core.
MOST_FOUND = 4

log = structlog.get_logger(__name__)


def embed_version(tenant_id: UUID, version_id: UUID, embedder: Embedder) -> int:
    """Compute and store the missing vectors of a published version; returns how many passages got theirs.

    Safe to repeat: passages that have vectors are left alone, those of a replaced version are skipped.
    """
    waiting = chunks_to_embed(tenant_id=tenant_id, version_id=version_id)
    name = embedding_name(embedder)
    stored = 0
    for first in range(0, len(waiting), CHUNKS_PER_BATCH):
        computed = _embed(waiting[first : first + CHUNKS_PER_BATCH], embedder)
        stored += store_embeddings(tenant_id=tenant_id, embeddings=computed, embedded_with=name)
    if waiting:
        log.info("version_embedded", tenant_id=str(tenant_id), version_id=str(version_id), passages=stored)
    return stored


def embed_found(result: RetrievalResult, *, tenant_id: UUID, embedder: Embedder) -> bool:
    """Give the best passages of a search their vectors at once where they wait for them; False when none does.

    While a large import is being indexed, its passages are found by their words only. Those that a question finds cannot
    wait for their turn: whether a sentence of them answers it is told by the vectors.
    """
    best = [candidate for candidate in result.own_language if candidate.vector is None][:MOST_FOUND]
    waiting = chunks_to_embed(tenant_id=tenant_id, chunk_ids=[candidate.chunk_id for candidate in best]) if best else []
    if not waiting:
        return False
    computed = _embed(waiting, embedder, is_urgent=True)
    return store_embeddings(tenant_id=tenant_id, embeddings=computed, embedded_with=embedding_name(embedder)) > 0


def embedding_name(embedder: Embedder) -> str:
    """Model and revision, as stored beside each vector."""
    info = embedder.info()
    return "@".join(part for part in (info.get("model", ""), info.get("revision", "")) if part)


def _embed(chunks: Sequence[ChunkToEmbed], embedder: Embedder, *, is_urgent: bool = False) -> list[ChunkEmbedding]:
    texts = [text for chunk in chunks for text in (chunk.passage, *chunk.sentences)]
    vectors = iter(embedder.embed_passages(texts, is_urgent=is_urgent))
    return [
        ChunkEmbedding(
            chunk_id=chunk.chunk_id,
            vector=next(vectors),
            sentence_vectors=[next(vectors) for _ in chunk.sentences],
            token_count=embedder.count_tokens(chunk.text),
        )
        for chunk in chunks
    ]

"""Vectors of passages and their sentences: fetch, compute without a transaction, store."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from inference_worker.engine import Embedder
from knowledge.passages import ChunkEmbedding, ChunkToEmbed, chunks_to_embed, store_embeddings

# Small batches reach the database early: a long article becomes searchable part by part.
CHUNKS_PER_BATCH = 4

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


def embedding_name(embedder: Embedder) -> str:
    """Model and revision, as stored beside each vector."""
    info = embedder.info()
    return "@".join(part for part in (info.get("model", ""), info.get("revision", "")) if part)


def _embed(chunks: Sequence[ChunkToEmbed], embedder: Embedder) -> list[ChunkEmbedding]:
    texts = [text for chunk in chunks for text in (chunk.passage, *chunk.sentences)]
    vectors = iter(embedder.embed_passages(texts))
    return [
        ChunkEmbedding(
            chunk_id=chunk.chunk_id,
            vector=next(vectors),
            sentence_vectors=[next(vectors) for _ in chunk.sentences],
            token_count=embedder.count_tokens(chunk.text),
        )
        for chunk in chunks
    ]

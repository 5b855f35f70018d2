"""The inference worker's tasks: they parse ids and call one function each."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from conversations.tasks import ANSWER_REPLY
from inference_worker.runtime import runtime
from knowledge.tasks import EMBED_CHUNKS


@shared_task(name=ANSWER_REPLY)
def answer_reply(*, tenant_id: str, reply_id: str) -> None:
    """Write one reply."""
    from inference_worker.reply import answer

    answer(runtime(), tenant_id=UUID(tenant_id), reply_id=UUID(reply_id))


@shared_task(name=EMBED_CHUNKS)
def embed_chunks(*, tenant_id: str, version_id: str) -> None:
    """Compute the vectors of one article version."""
    from inference_worker.embedding import embed_version

    embed_version(UUID(tenant_id), UUID(version_id), runtime().embedder)

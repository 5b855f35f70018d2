"""Asking the inference worker for vectors, by the task's name."""

from __future__ import annotations

from uuid import UUID

import structlog
from kombu.exceptions import OperationalError

from helpdesk.queue.celery import INFERENCE_QUEUE, STEP_BACKGROUND, app

EMBED_CHUNKS = "inference_worker.embed_chunks"

logger = structlog.get_logger(__name__)


def enqueue_embedding(*, tenant_id: UUID, version_id: UUID) -> bool:
    """Ask for the vectors of a version's passages; False when the queue cannot be reached.

    A lost request costs half a minute: the sweep repeats it. Until then the passages are found by their words.
    """
    try:
        app.send_task(
            EMBED_CHUNKS,
            kwargs={"tenant_id": str(tenant_id), "version_id": str(version_id)},
            queue=INFERENCE_QUEUE,
            priority=STEP_BACKGROUND,
        )
    except OperationalError:
        logger.warning("embedding_not_enqueued", tenant_id=str(tenant_id), version_id=str(version_id))
        return False
    return True

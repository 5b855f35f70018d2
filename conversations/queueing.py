"""Sending the task that answers a reply, by name: nothing here knows who writes it."""

from __future__ import annotations

from uuid import UUID

import structlog
from kombu.exceptions import OperationalError

from helpdesk.queue.celery import app, inference_queue, step_of_priority
from helpdesk.queue.lengths import REPLY_HEADER

logger = structlog.get_logger(__name__)

ANSWER_REPLY = "inference_worker.answer_reply"


def enqueue_reply(tenant_id: UUID, reply_id: UUID, *, model: str, priority: int, delay: float = 0.0) -> None:
    """Send the task, with ids only, to be fetched after `delay` seconds by a worker that serves the assistant's `model`.

    When the broker is away, or the task gets lost, the sweep sends it later.
    """
    try:
        app.send_task(
            ANSWER_REPLY,
            kwargs={"tenant_id": str(tenant_id), "reply_id": str(reply_id)},
            queue=inference_queue(model),
            priority=step_of_priority(priority),
            countdown=delay or None,
            headers={REPLY_HEADER: str(reply_id)},
            retry=False,
        )
    except (OperationalError, OSError) as error:
        logger.warning("reply_not_enqueued", reply_id=str(reply_id), error=type(error).__name__)

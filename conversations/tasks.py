"""Names of the tasks that answer, and the periodic sweep that makes a lost task harmless."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import shared_task
from django.db import DatabaseError
from kombu.exceptions import OperationalError

from helpdesk.pending.marks import sweep
from helpdesk.pending.models import Kind
from helpdesk.queue.celery import app, inference_queue, step_of_rank
from helpdesk.queue.lengths import REPLY_HEADER
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)

ANSWER_REPLY = "inference_worker.answer_reply"


def enqueue_reply(tenant_id: UUID, reply_id: UUID, *, rank: int = 0, delay: float = 0.0) -> None:
    """Send the task by name, with ids only, to be taken after `delay` seconds.

    When the broker is away, or the task gets lost, the sweep sends it later.
    """
    try:
        app.send_task(
            ANSWER_REPLY,
            kwargs={"tenant_id": str(tenant_id), "reply_id": str(reply_id)},
            queue=inference_queue(_chosen_model(tenant_id, reply_id)),
            priority=step_of_rank(rank),
            countdown=delay or None,
            headers={REPLY_HEADER: str(reply_id)},
            retry=False,
        )
    except (OperationalError, DatabaseError, OSError) as error:
        logger.warning("reply_not_enqueued", reply_id=str(reply_id), error=type(error).__name__)


def _chosen_model(tenant_id: UUID, reply_id: UUID) -> str:
    """The name of the model that the reply's assistant uses; empty for the desk's first one."""
    from conversations.models import Reply

    with tenant_atomic(tenant_id):
        chosen = Reply.objects.filter(id=reply_id).values_list("conversation__assistant__model", flat=True).first()
        return chosen or ""


@shared_task(name="conversations.sweep_replies")
def sweep_replies() -> None:
    """Requeue or fail replies whose worker is gone, and enqueue again those whose task was lost."""
    from conversations.queries import has_open_replies
    from conversations.replies import recover_replies
    from conversations.unserved import fail_unserved_replies

    def recover(tenant_id: UUID) -> None:
        recover_replies(tenant_id)
        fail_unserved_replies(tenant_id)

    sweep(Kind.REPLIES, recover, has_open=has_open_replies)

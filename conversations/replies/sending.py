"""Sending a reply's task once the transaction has committed."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from conversations.models import Reply
from conversations.queueing import enqueue_reply


def send_task(tenant_id: UUID, reply_id: UUID, *, delay: float = 0.0) -> None:
    """With the priority and for the model that it has. A task that comes twice is carried out once: the claim sees to that."""
    priority, model = Reply.objects.values_list("priority", "conversation__assistant__model").get(id=reply_id)
    send_task_for(tenant_id, reply_id, model=model, priority=priority, delay=delay)


def send_task_for(tenant_id: UUID, reply_id: UUID, *, model: str, priority: int, delay: float = 0.0) -> None:
    """The same for a caller who knows both."""
    transaction.on_commit(lambda: enqueue_reply(tenant_id, reply_id, model=model, priority=priority, delay=delay))

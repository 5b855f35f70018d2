"""The periodic sweep that makes a lost task harmless."""

from __future__ import annotations

from celery import shared_task

from conversations.queries import has_open_replies
from conversations.recovery import recover_replies
from conversations.unserved import fail_unserved_replies
from helpdesk.pending.marks import sweep
from helpdesk.pending.models import Kind


@shared_task(name="conversations.sweep_replies")
def sweep_replies() -> None:
    """Requeue or fail replies whose worker is gone, and enqueue again those whose task was lost."""
    for tenant_id in sweep(Kind.REPLIES, has_open=has_open_replies):
        recover_replies(tenant_id)
        fail_unserved_replies(tenant_id)

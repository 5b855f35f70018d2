"""What the desk does by the clock: making lost tasks harmless, and waking what was snoozed."""

from __future__ import annotations

from celery import shared_task

from conversations.queries import has_due_snoozes, has_open_replies
from conversations.recovery import recover_replies
from conversations.triage import wake_due
from conversations.unserved import fail_unserved_replies
from helpdesk.pending.marks import sweep
from helpdesk.pending.models import Kind


@shared_task(name="conversations.sweep_replies")
def sweep_replies() -> None:
    """Requeue or fail replies whose worker is gone, and enqueue again those whose task was lost."""
    for tenant_id in sweep(Kind.REPLIES, has_open=has_open_replies):
        recover_replies(tenant_id)
        fail_unserved_replies(tenant_id)


@shared_task(name="conversations.wake_snoozed")
def wake_snoozed() -> None:
    """Open the conversations again whose snooze has ended."""
    for tenant_id in sweep(Kind.SNOOZES, has_open=has_due_snoozes):
        wake_due(tenant_id)

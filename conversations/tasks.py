"""What the desk does by the clock: making lost tasks harmless, waking what was snoozed, raising alarms of long waits."""

from __future__ import annotations

from celery import shared_task

from conversations.hand_off.alarms import raise_alarms
from conversations.inbox.triage import wake_due
from conversations.queries import has_due_alarms, has_due_snoozes, has_open_replies
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


@shared_task(name="conversations.raise_alarms")
def raise_hand_off_alarms() -> None:
    """Tell the companies' people of customers whom nobody has taken in time."""
    for tenant_id in sweep(Kind.HAND_OFFS, has_open=has_due_alarms):
        raise_alarms(tenant_id)


@shared_task(name="conversations.wake_snoozed")
def wake_snoozed() -> None:
    """Open the conversations again whose snooze has ended."""
    for tenant_id in sweep(Kind.SNOOZES, has_open=has_due_snoozes):
        wake_due(tenant_id)

"""The periodic sweep that makes a lost task harmless."""

from __future__ import annotations

from celery import shared_task

from conversations.recovery import recover_replies
from conversations.unserved import fail_unserved_replies
from helpdesk.tenants.models import Tenant


@shared_task(name="conversations.sweep_replies")
def sweep_replies() -> None:
    """Requeue or fail replies whose worker is gone, and enqueue again those whose task was lost."""
    for tenant_id in Tenant.objects.values_list("id", flat=True):
        recover_replies(tenant_id)
        fail_unserved_replies(tenant_id)

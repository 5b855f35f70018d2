"""Forgetting kept answers after their day."""

from __future__ import annotations

from celery import shared_task

from helpdesk.api.idempotency import forget_expired_requests, has_expired_requests
from helpdesk.pending.marks import sweep
from helpdesk.pending.models import Kind


@shared_task(name="api.forget_idempotent_requests")
def forget_idempotent_requests() -> None:
    """Delete what has expired, of those who have something expired."""
    for tenant_id in sweep(Kind.IDEMPOTENCY, has_open=has_expired_requests):
        forget_expired_requests(tenant_id)

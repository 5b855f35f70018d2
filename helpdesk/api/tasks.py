"""Forgetting kept answers after their day."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from helpdesk.api.models import IdempotentRequest
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic


@shared_task(name="api.forget_idempotent_requests")
def forget_idempotent_requests() -> None:
    """Delete what has expired, tenant by tenant."""
    for tenant_id in Tenant.objects.values_list("id", flat=True):
        with tenant_atomic(tenant_id):
            IdempotentRequest.objects.filter(expires_at__lte=timezone.now()).delete()

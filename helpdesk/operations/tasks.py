"""What looks after the desk itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from helpdesk.operations.open_work import SHARES, check_share


@shared_task(name="operations.check_open_work")
def check_open_work() -> int:
    """Each minute another share of the tenants, so that every tenant is looked at once an hour."""
    return check_share(timezone.now().minute % SHARES)

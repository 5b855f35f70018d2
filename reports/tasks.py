"""Adding up the days that are over."""

from __future__ import annotations

from celery import shared_task

from helpdesk.pending.marks import sweep
from helpdesk.pending.models import Kind
from reports.adding_up import add_up_due
from reports.days import has_days_due


@shared_task(name="reports.add_up_days")
def add_up_days() -> None:
    """Of the companies that have some to add up."""
    for tenant_id in sweep(Kind.REPORTS, has_open=has_days_due):
        add_up_due(tenant_id)

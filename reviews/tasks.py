"""What happens by the clock: answers are chosen for review, of those companies that have this switched on."""

from __future__ import annotations

from celery import shared_task

from helpdesk.pending.marks import sweep
from helpdesk.pending.models import Kind
from reviews.sampling import has_sampling, sample


@shared_task(name="reviews.sample_answers")
def sample_answers() -> None:
    """Look through what was answered, rated and handed over since the last time."""
    for tenant_id in sweep(Kind.REVIEWS, has_open=has_sampling):
        sample(tenant_id)

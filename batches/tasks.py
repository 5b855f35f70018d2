"""The feeder as a task: sent after each finished batch answer, after a submission, and every second by beat."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import DatabaseError

from batches.feeding import feed
from batches.queueing import FEED

logger = structlog.get_logger(__name__)


@shared_task(name=FEED)
def feed_batches() -> None:
    """Settle and begin items; what fails is tried again a second later."""
    try:
        feed()
    except DatabaseError as error:
        # Its text may quote a row.
        logger.warning("batches_not_fed", error=type(error).__name__)

"""The feeder as a task: sent after each finished batch answer, after a submission, and every second by beat."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import DatabaseError
from kombu.exceptions import OperationalError

from batches.feeding import feed
from helpdesk.queue.celery import DEFAULT_QUEUE, app

logger = structlog.get_logger(__name__)

FEED = "batches.feed"
# Beat sends the next one by then: tasks that nobody takes must not pile up.
EXPIRES_SECONDS = 5


def enqueue_feed() -> None:
    """Ask a default worker to feed now. When the broker is away, beat asks later."""
    try:
        app.send_task(FEED, queue=DEFAULT_QUEUE, expires=EXPIRES_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("feed_not_enqueued", error=type(error).__name__)


@shared_task(name=FEED)
def feed_batches() -> None:
    """Settle and begin items; what fails is tried again a second later."""
    try:
        feed()
    except DatabaseError as error:
        # Its text may quote a row.
        logger.warning("batches_not_fed", error=type(error).__name__)

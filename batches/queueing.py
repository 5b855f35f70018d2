"""Asking a default worker to feed batch jobs, by the task's name."""

from __future__ import annotations

import structlog
from kombu.exceptions import OperationalError

from helpdesk.facts.models import Fact
from helpdesk.queue.celery import DEFAULT_QUEUE, app

FEED = "batches.feed"
# Beat sends the next one by then: tasks that nobody fetches must not pile up.
EXPIRES_SECONDS = 5

logger = structlog.get_logger(__name__)


def enqueue_feed() -> None:
    """Ask a default worker to feed now. When the broker is away, beat asks later."""
    try:
        _send()
    except (OperationalError, OSError) as error:
        logger.warning("feed_not_enqueued", error=type(error).__name__)


def feed_after(_fact: Fact) -> None:
    """Ask for another item of a batch when one has ended. Raises when the broker is away."""
    _send()


def _send() -> None:
    app.send_task(FEED, queue=DEFAULT_QUEUE, expires=EXPIRES_SECONDS, retry=False)

"""Who may join the queue for an answer, and where: a bound for each company, one over all, and a priority that shares fairly.

docs/decisions/0011-fair-queue.md has the reasons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings
from django.db.models import Count, Max, Q

from conversations.models import Assistant, PriorityClass, Reply, ReplyStatus
from conversations.queries import IN_FLIGHT
from helpdesk.errors import Busy
from helpdesk.queue import lengths
from helpdesk.queue.lengths import UNKNOWN_QUEUE, QueueSnapshot
from helpdesk.tenants.scope import is_in_scope

logger = structlog.get_logger(__name__)

# Priorities of a class never reach the next one's: 0-19 customers, 20-39 copilot, 50-69 batch jobs.
MAX_SHARE_PENALTY = 19
SHORTEST_WAIT_SECONDS = 2
RETRY_SECONDS = (5, 60)
RETRY_SECONDS_UNKNOWN = 15


class QueueReadTooLate(RuntimeError):
    """Redis was to be asked while rows are locked; a programming error: whoever hangs there makes others wait."""


@dataclass(frozen=True, slots=True)
class Admission:
    """How a reply joins the queue. `wait_seconds` until a worker fetches it: None when that is short, or not known."""

    priority: int
    wait_seconds: int | None


def read_queue(priority_class: PriorityClass = PriorityClass.INTERACTIVE) -> QueueSnapshot:
    """What Redis knows of the queue now, as far as it matters to replies of this class; before any transaction.

    While Redis is away nothing is known, and nothing can be queued there; the tenant's own bound still holds.
    """
    if not _is_bounded(priority_class):
        return UNKNOWN_QUEUE
    if is_in_scope():
        raise QueueReadTooLate("Read the queue before tenant_atomic, and pass on what it said.")
    try:
        return lengths.read_queue()
    except redis.RedisError as error:
        logger.warning("queue_length_unknown", error=type(error).__name__)
        return UNKNOWN_QUEUE


def admit(priority_class: PriorityClass, queue: QueueSnapshot) -> Admission:
    """Admit one more reply of the tenant in scope; raises Busy when a bound is reached.

    The tenant's other posts wait until the caller's transaction ends, so that they count this one. The bound over all
    tenants is read before, so that each thread that is just posting may overshoot it by one. Items of batches are bounded by
    their feeder, and never make a customer wait.
    """
    lowest_priority = priority_class + MAX_SHARE_PENALTY
    own = Reply.objects.filter(status__in=IN_FLIGHT, priority_class=priority_class)
    if not _is_bounded(priority_class):
        return Admission(min(priority_class + own.count(), lowest_priority), None)
    if queue.ahead_of(lowest_priority) >= settings.QUEUE_LIMIT:
        raise _busy(lowest_priority, queue)
    # A lock, not a read: whoever posts for this tenant at the same time counts after us.
    Assistant.objects.select_for_update(no_key=True).filter(is_default=True).values_list("id").first()
    found = own.aggregate(count=Count("id"), last=Max("priority", filter=Q(status=ReplyStatus.QUEUED)))
    if found["count"] >= settings.TENANT_QUEUE:
        raise _busy(lowest_priority, queue)
    # Never before an older question of the same tenant that still waits.
    priority = min(max(priority_class + found["count"], found["last"] or 0), lowest_priority)
    wait = _seconds_until_fetched(priority, queue)
    return Admission(priority, wait if wait is not None and wait >= SHORTEST_WAIT_SECONDS else None)


def _is_bounded(priority_class: PriorityClass) -> bool:
    return priority_class < PriorityClass.BATCH


def _busy(priority: int, queue: QueueSnapshot) -> Busy:
    wait = _seconds_until_fetched(priority, queue)
    shortest, longest = RETRY_SECONDS
    retry_after = RETRY_SECONDS_UNKNOWN if wait is None else min(max(wait, shortest), longest)
    return Busy(retry_after=retry_after, wait_seconds=wait)


def _seconds_until_fetched(priority: int, queue: QueueSnapshot) -> int | None:
    seconds = queue.seconds_until_fetched(priority)
    return None if seconds is None else math.ceil(seconds)

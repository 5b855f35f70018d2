"""Who may join the line for an answer, and where: a bound for each company, one over all, and a rank that shares fairly.

docs/decisions/0011-fair-queue.md has the reasons.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings
from django.db.models import Count, Max, Q

from conversations.models import Assistant, Reply, ReplyPriority, ReplyStatus
from conversations.queries import IN_FLIGHT
from helpdesk.errors import Busy
from helpdesk.queue.lengths import ahead_of, line_lengths, seconds_until_taken

logger = structlog.get_logger(__name__)

# Ranks of a class never reach the next one's: 0-19 customers, 20-39 copilot, 50-69 batch jobs.
LAST_SHARE = 19
SHORTEST_WAIT_SECONDS = 2
RETRY_SECONDS = (5, 60)
RETRY_SECONDS_UNKNOWN = 15


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the line. `wait_seconds` until a worker takes the reply up: None when it is short, or not known."""

    rank: int
    wait_seconds: int | None


def admit(priority: ReplyPriority) -> Place:
    """A place for one more reply of the tenant in scope; raises Busy when a bound is reached.

    The tenant's other posts wait until the caller's transaction ends, so that they count this one. The bound over all
    tenants is read before, so that each thread that is just posting may overshoot it by one.
    """
    lengths = _line_lengths()
    last_rank = priority + LAST_SHARE
    if ahead_of(last_rank, lengths) >= settings.QUEUE_LIMIT:
        raise _busy(last_rank, lengths)
    # A lock, not a read: whoever posts for this tenant at the same time counts after us.
    Assistant.objects.select_for_update(no_key=True).filter(is_default=True).values_list("id").first()
    own = Reply.objects.filter(status__in=IN_FLIGHT, priority=priority).aggregate(
        count=Count("id"), last=Max("rank", filter=Q(status=ReplyStatus.QUEUED))
    )
    if own["count"] >= settings.TENANT_QUEUE:
        raise _busy(last_rank, lengths)
    # Never before an older question of the same tenant that still waits.
    rank = min(max(priority + own["count"], own["last"] or 0), last_rank)
    wait = _seconds_until_taken(rank, lengths)
    return Place(rank, wait if wait is not None and wait >= SHORTEST_WAIT_SECONDS else None)


def _busy(rank: int, lengths: Mapping[int, int]) -> Busy:
    wait = _seconds_until_taken(rank, lengths)
    shortest, longest = RETRY_SECONDS
    retry_after = RETRY_SECONDS_UNKNOWN if wait is None else min(max(wait, shortest), longest)
    return Busy(retry_after=retry_after, wait_seconds=wait)


def _line_lengths() -> dict[int, int]:
    """Empty while Redis is away: nothing can be queued there then, and the tenant's own bound still holds."""
    try:
        return line_lengths()
    except redis.RedisError as error:
        logger.warning("line_length_unknown", error=type(error).__name__)
        return {}


def _seconds_until_taken(rank: int, lengths: Mapping[int, int]) -> int | None:
    if not lengths:
        return None
    try:
        seconds = seconds_until_taken(rank, lengths)
    except redis.RedisError:
        return None
    return None if seconds is None else math.ceil(seconds)

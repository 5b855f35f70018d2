"""Handing facts to a subscriber: in order within a lane, and acknowledged only once it has them.

Whoever delivers holds the rows of the facts until the acknowledgement commits. Two who deliver the same lane at once
come after each other, and what a dead one held is free at once and still owed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.utils import timezone

from helpdesk.facts.metrics import count_deliveries
from helpdesk.facts.models import IS_OWED, Fact, Setback
from helpdesk.facts.subscribing import Subscriber, prompt_subscribers
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)

AT_ONCE = 200
# Whoever asked does not wait for somebody else's delivery of the lane that has not come back by then.
LOCK_WAIT = "100ms"
# A subscriber whose failure took that long is left to the relay for a while: not every request is to wait as long again.
SLOW_SECONDS, REST_SECONDS = 0.5, 5.0
LONGEST_PAUSE_SECONDS = 300

_resting_until: dict[str, float] = {}


def deliver_promptly(*, tenant_id: UUID, lane: UUID, names: Iterable[str]) -> None:
    """Tell the prompt ones of these subscribers what the lane owes them, also what others have recorded before.

    The caller has committed and must not fail any more: what cannot be delivered now stays owed, and the relay brings it.
    """
    for subscriber in prompt_subscribers(names):
        began = time.monotonic()
        if began < _resting_until.get(subscriber.name, 0.0):
            continue
        try:
            count = _deliver_lane(subscriber, tenant_id, lane)
        # Whatever a subscriber raises.
        except Exception as error:
            logger.warning("facts_not_delivered", subscriber=subscriber.name, error=type(error).__name__)
            if time.monotonic() - began > SLOW_SECONDS:
                _resting_until[subscriber.name] = time.monotonic() + REST_SECONDS
        else:
            count_deliveries(subscriber.name, "at_once", count)


def deliver_next(subscriber: Subscriber, *, tenant_id: UUID, lane: UUID) -> bool:
    """Bring the subscriber the oldest fact that the lane owes it.

    Returns whether there may be more to bring now: not after a failure, nor while somebody else delivers this lane.
    """
    fact = None
    try:
        with tenant_atomic(tenant_id):
            _prepare()
            rows = owed_to(subscriber).filter(lane=lane).select_for_update(no_key=True, nowait=True)
            fact = rows.first()
            if fact is None:
                return False
            subscriber.deliver(fact)
            _acknowledge(subscriber, [fact])
    # Whatever a subscriber raises, the soft time limit of its task too.
    except Exception as error:
        if fact is None and not isinstance(error, OperationalError):
            raise
        if fact is not None:
            _note_setback(subscriber, tenant_id, fact, error)
        return False
    count_deliveries(subscriber.name, "relayed")
    return True


def owed_to(subscriber: Subscriber) -> QuerySet[Fact]:
    """What the subscriber has not had yet, the oldest first. Runs inside `tenant_atomic`."""
    rows: QuerySet[Fact] = Fact.objects.filter(IS_OWED, owed__contains=[subscriber.name]).order_by("number")
    return rows


def _deliver_lane(subscriber: Subscriber, tenant_id: UUID, lane: UUID) -> int:
    """Bring the subscriber what the lane owes it; returns how many facts. Raises OperationalError while another holds them."""
    with tenant_atomic(tenant_id):
        _prepare()
        facts = list(owed_to(subscriber).filter(lane=lane).select_for_update(no_key=True)[:AT_ONCE])
        for fact in facts:
            subscriber.deliver(fact)
        _acknowledge(subscriber, facts)
    return len(facts)


def _prepare() -> None:
    """Set what holds for the transaction of a delivery, in one statement."""
    with connection.cursor() as cursor:
        # Losing an acknowledgement in a crash only brings the fact again, so that nobody has to wait for the disk.
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', %s, true)", [LOCK_WAIT]
        )


def _acknowledge(subscriber: Subscriber, facts: Sequence[Fact]) -> None:
    if not facts:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE facts_fact SET owed = array_remove(owed, %s) WHERE id = ANY(%s)",
            [subscriber.name, [fact.id for fact in facts]],
        )


def _note_setback(subscriber: Subscriber, tenant_id: UUID, fact: Fact, error: Exception) -> None:
    """Pause before the next try, or park the fact, so that the lane goes on without it."""
    reason = type(error).__name__
    with tenant_atomic(tenant_id):
        setback, _ = Setback.objects.get_or_create(
            fact=fact, subscriber=subscriber.name, defaults={"error": reason, "retry_at": timezone.now()}
        )
        setback.failures += 1
        setback.error = reason
        setback.retry_at = timezone.now() + timedelta(seconds=min(2**setback.failures, LONGEST_PAUSE_SECONDS))
        is_parked = setback.failures >= settings.FACT_ATTEMPTS
        if is_parked:
            setback.parked_at = timezone.now()
            _acknowledge(subscriber, [fact])
        setback.save(update_fields=["failures", "error", "retry_at", "parked_at"])
    count_deliveries(subscriber.name, "parked" if is_parked else "failed")
    log = logger.error if is_parked else logger.warning
    log(
        "fact_parked" if is_parked else "fact_not_delivered",
        tenant_id=str(tenant_id), fact_id=str(fact.id), subscriber=subscriber.name, failures=setback.failures, error=reason,
    )  # fmt: skip

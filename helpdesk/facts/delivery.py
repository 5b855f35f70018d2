"""Handing facts to a subscriber: in order within a lane, and acknowledged only once it has them.

Whoever delivers holds the rows of the facts until the acknowledgement commits. Two who deliver the same lane at once
come after each other, and what a dead one held is free at once and still owed.
"""

from __future__ import annotations

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
LONGEST_PAUSE_SECONDS = 300


def deliver_promptly(*, tenant_id: UUID, lane: UUID, names: Iterable[str]) -> None:
    """Tell the prompt ones of these subscribers what the lane owes them, also what others have recorded before.

    The caller has committed and must not fail any more: what cannot be delivered now stays owed, and the relay brings it.
    """
    for subscriber in prompt_subscribers(names):
        try:
            with tenant_atomic(tenant_id):
                facts = list(owed_to(subscriber).filter(lane=lane).select_for_update(no_key=True)[:AT_ONCE])
                for fact in facts:
                    subscriber.deliver(fact)
                _acknowledge(subscriber, facts)
        # Whatever a subscriber raises.
        except Exception as error:
            logger.warning("facts_not_delivered", subscriber=subscriber.name, error=type(error).__name__)
        else:
            count_deliveries(subscriber.name, "at_once", len(facts))


def deliver_next(subscriber: Subscriber, *, tenant_id: UUID, lane: UUID) -> bool:
    """Bring the subscriber the oldest fact that the lane owes it.

    Returns whether there may be more to bring now: not after a failure, nor while somebody else delivers this lane.
    """
    fact = None
    try:
        with tenant_atomic(tenant_id):
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


def _acknowledge(subscriber: Subscriber, facts: Sequence[Fact]) -> None:
    if not facts:
        return
    with connection.cursor() as cursor:
        # Losing an acknowledgement in a crash only brings the fact again, so that nobody has to wait for the disk.
        cursor.execute("SET LOCAL synchronous_commit = off")
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

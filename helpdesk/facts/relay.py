"""Bringing subscribers what they have not had: after a crash, while Redis was away, or because they are not notified at once.

One relay for each subscriber at a time, so that one that hangs holds up one process and nobody else's facts.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from helpdesk.facts.delivery import deliver_next, owed_to
from helpdesk.facts.models import IS_OWED, Fact, Setback
from helpdesk.facts.subscribing import Subscriber, subscribers
from helpdesk.pending.marks import forget_if_done, tenants_with
from helpdesk.pending.models import Kind
from helpdesk.tenants.scope import tenant_atomic

# A relay begins no delivery after that time; the soft limit of its task leaves the last one as long again.
BUDGET_SECONDS = 10.0
LANES_AT_ONCE = 500


def owing_tenants() -> dict[str, list[UUID]]:
    """For each subscriber the tenants with facts that it has not had. Forgets the marks of those that owe nothing."""
    owing: dict[str, list[UUID]] = defaultdict(list)
    for noted in tenants_with(Kind.FACTS):
        if not forget_if_done(noted, has_open=has_owed):
            with tenant_atomic(noted.tenant_id):
                names = _owed_names()
            for name in names:
                owing[name].append(noted.tenant_id)
    return owing


def has_owed() -> bool:
    """Whether the tenant in scope owes somebody on the list a fact."""
    return _owed_to_anybody().exists()


def relay_to(subscriber: Subscriber, tenant_ids: Sequence[UUID], *, seconds: float = BUDGET_SECONDS) -> int:
    """Bring the subscriber what these tenants owe it, each for its part of the time; returns how many facts it took."""
    until = time.monotonic() + seconds
    taken = 0
    for count_left, tenant_id in zip(range(len(tenant_ids), 0, -1), tenant_ids, strict=True):
        now = time.monotonic()
        taken += _relay_tenant(subscriber, tenant_id, until=now + (until - now) / count_left)
    return taken


def forget_delivered(tenant_id: UUID) -> int:
    """Delete a tenant's facts that are old and owed to nobody any more; returns how many."""
    with tenant_atomic(tenant_id):
        open_ids = _owed_to_anybody().values("id")
        deleted: int = _old().exclude(id__in=open_ids).delete()[1].get("facts.Fact", 0)
        return deleted


def has_old_facts() -> bool:
    """Whether the tenant in scope has facts past their days, also while they are owed."""
    return _old().exists()


def _old() -> QuerySet[Fact]:
    rows: QuerySet[Fact] = Fact.objects.filter(at__lt=timezone.now() - timedelta(days=settings.FACT_DAYS))
    return rows


def _relay_tenant(subscriber: Subscriber, tenant_id: UUID, *, until: float) -> int:
    """A fact of each lane in turn, so that a long lane keeps no short one waiting."""
    with tenant_atomic(tenant_id):
        lanes = _due_lanes(subscriber)
    taken = 0
    while lanes and time.monotonic() < until:
        going_on = []
        for lane in lanes:
            if time.monotonic() < until and deliver_next(subscriber, tenant_id=tenant_id, lane=lane):
                going_on.append(lane)
        taken += len(going_on)
        lanes = going_on
    return taken


def _due_lanes(subscriber: Subscriber) -> list[UUID]:
    """Lanes that owe the subscriber something and do not pause after a failure, the longest waiting first."""
    pausing = Setback.objects.filter(subscriber=subscriber.name, parked_at=None, retry_at__gt=Now())
    rows = owed_to(subscriber).exclude(lane__in=pausing.values("fact__lane")).order_by("lane", "number")
    heads = rows.distinct("lane").values_list("number", "lane")[:LANES_AT_ONCE]
    return [lane for _number, lane in sorted(heads)]


def _owed_names() -> list[str]:
    return [each.name for each in subscribers() if owed_to(each).exists()]


def _owed_to_anybody() -> QuerySet[Fact]:
    names = [each.name for each in subscribers()]
    rows: QuerySet[Fact] = Fact.objects.filter(IS_OWED, owed__overlap=names)
    return rows

"""The minutes that a company promises, by priority."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from conversations.models import ClockKind, Priority, ResponseTimes
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs

Promised = dict[str, int | None]


def promised_seconds(priority: str, kind: str) -> int | None:
    """What is promised to conversations of that priority; None where nothing is."""
    minutes: int | None = (
        ResponseTimes.objects.filter(priority=priority).values_list(ClockKind(kind).value, flat=True).first()
    )
    return None if minutes is None else minutes * 60


def response_times() -> dict[str, Promised]:
    """The minutes of each priority."""
    rows = {row.priority: row for row in ResponseTimes.objects.all()}
    return {
        priority: {kind: getattr(rows[priority], kind) if priority in rows else None for kind in ClockKind.values}
        for priority in Priority.values
    }


@needs(Right.MANAGE_AUTOMATION)
def change_response_times(*, tenant_id: UUID, times: Mapping[str, Promised], actor: Actor = SYSTEM) -> bool:
    """Store them; False when they are what they were. A clock that runs keeps the time that it was given."""
    with tenant_atomic(tenant_id):
        before = response_times()
        changed = [priority for priority in Priority.values if before[priority] != dict(times[priority])]
        for priority in changed:
            ResponseTimes.objects.update_or_create(priority=priority, defaults=dict(times[priority]))
        if changed:
            record(FactKind.RESPONSE_TIMES_CHANGED, subject_id=tenant_id, actor=actor, settings=len(changed))
        return bool(changed)

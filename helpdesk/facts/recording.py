"""Writing a fact down, in the transaction of the change that it reports."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from helpdesk.facts.delivery import deliver_promptly
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.models import Fact
from helpdesk.facts.subscribing import subscribers
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.tenants.scope import current_tenant_id

# What a code, an id or a moment is made of. A sentence that somebody wrote has spaces.
CODE = re.compile(r"[A-Za-z0-9_.:+-]{0,64}")

Value = UUID | str | int | float | None


class OutsideTransaction(RuntimeError):
    """A fact was recorded apart from the change that it reports: a programming error."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    """Stands among the callbacks of a transaction: which lanes have news for whom once it has committed."""

    tenant_id: UUID
    lanes: dict[UUID, set[str]] = field(default_factory=dict)

    def __call__(self) -> None:
        for lane, names in self.lanes.items():
            deliver_promptly(tenant_id=self.tenant_id, lane=lane, names=names)


def record(
    kind: FactKind,
    *,
    conversation_id: UUID | None = None,
    subject_id: UUID | None = None,
    actor: Actor = SYSTEM,
    **data: Value,
) -> Fact:
    """Write down what happened, in the tenant in scope, and notify the subscribers once the transaction has committed.

    A fact about a conversation is recorded under the lock of the conversation's row, so that the facts' numbers have the
    order of the commits. `data` takes ids, codes and numbers. Raises OutsideTransaction, or ValueError for anybody's text.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"{kind} has to be recorded inside the transaction of the change.")
    tenant_id = current_tenant_id()
    fact = Fact(
        kind=kind,
        conversation_id=conversation_id,
        subject_id=subject_id,
        actor=actor.kind,
        actor_id=actor.id,
        data={name: _plain(name, value) for name, value in data.items()},
    )
    fact.lane = conversation_id or subject_id or fact.id
    fact.owed = [each.name for each in subscribers() if each.wants(fact)]
    fact.save(force_insert=True)
    note(Kind.OLD_FACTS, due_at=_day_after(fact.at + timedelta(days=settings.FACT_DAYS)))
    if fact.owed:
        note(Kind.FACTS)
        _recorded(tenant_id).lanes.setdefault(fact.lane, set()).update(fact.owed)
    return fact


def _day_after(moment: datetime) -> datetime:
    """One mark does for all facts of a day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _recorded(tenant_id: UUID) -> _Recorded:
    """The callback of this transaction. A savepoint that is rolled back takes those with it that were registered in it."""
    for _, callback, *_ in connection.run_on_commit:
        if isinstance(callback, _Recorded) and callback.tenant_id == tenant_id:
            return callback
    recorded = _Recorded(tenant_id)
    transaction.on_commit(recorded)
    return recorded


def _plain(name: str, value: Value) -> str | int | float | None:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and not CODE.fullmatch(value):
        raise ValueError(f"“{name}” of a fact takes ids, codes and numbers, nobody's text.")
    return value

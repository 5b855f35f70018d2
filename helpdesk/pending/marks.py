"""Noting open work in the transaction that makes it, and forgetting it once a later look finds nothing.

Why no mark is lost: whoever makes work inserts a mark of its own in the same transaction. Whoever forgets deletes just
those marks, by their ids, that it had read before it looked. A mark that it could read was committed, and so was its work:
the look sees that. A mark that was not committed by then is none of those ids, and stays. Nobody waits for anybody.

docs/decisions/0027-marks-of-open-work.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, transaction
from django.db.models import Max, Min
from django.db.models.functions import Now

from helpdesk.pending.models import Kind, OpenWork
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import current_tenant_id, tenant_atomic, tenant_snapshot

HasOpen = Callable[[], bool]

# Marks with a moment that this process knows to be there: they stay until the moment. Bounded by starting anew.
_committed: set[_WrittenHere] = set()
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Noted:
    """A tenant that has work of the kind asked for, or had some a moment ago; with the marks that say so."""

    tenant_id: UUID
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _WrittenHere:
    """Stands among the callbacks of a transaction, which drops it together with the mark if it is rolled back."""

    tenant_id: UUID
    kind: Kind
    due_at: datetime | None

    def __call__(self) -> None:
        """Remember after the commit what nobody deletes before its moment."""
        if self.due_at is not None:
            if len(_committed) >= MOST_KNOWN:
                _committed.clear()
            _committed.add(self)


def note(kind: Kind, *, due_at: datetime | None = None) -> None:
    """The tenant in scope has work of this kind, from `due_at` on. Runs inside the transaction that makes the work.

    One statement, once for each transaction and kind. With `due_at`, which must be later than this transaction can last,
    a mark of the same moment that is there already is enough: round it, and a busy tenant has few marks. A moment that this
    process has noted before costs no statement.
    """
    written = _WrittenHere(current_tenant_id(), kind, due_at)
    if written in _committed or any(callback == written for _, callback, *_ in connection.run_on_commit):
        return
    if due_at is None:
        OpenWork.objects.create(tenant_id=written.tenant_id, kind=kind)
    elif not OpenWork.objects.filter(tenant_id=written.tenant_id, kind=kind, due_at=due_at).exists():
        OpenWork.objects.create(tenant_id=written.tenant_id, kind=kind, due_at=due_at)
    transaction.on_commit(written)


def note_everybody(kind: Kind) -> None:
    """Have the next sweep look at every tenant: for work that no transaction makes, such as that of a new version."""
    OpenWork.objects.bulk_create(
        OpenWork(tenant_id=each, kind=kind) for each in Tenant.objects.values_list("id", flat=True)
    )


def tenants_with(kind: Kind) -> list[Noted]:
    """The tenants that have work of this kind which is due, the longest noted first. One statement for all of them."""
    marks = OpenWork.objects.filter(kind=kind, due_at__lte=Now()).values("tenant_id")
    found = marks.annotate(marks=ArrayAgg("id", order_by="id"), first=Min("id")).order_by("first")
    return [Noted(each["tenant_id"], tuple(each["marks"])) for each in found]


def forget_if_done(noted: Noted, *, has_open: HasOpen) -> bool:
    """Delete the marks when nothing is open any more, and all but one otherwise; returns whether nothing is.

    Runs outside any transaction, since `has_open` has to see whatever was committed before `tenants_with` read the marks.
    """
    with tenant_atomic(noted.tenant_id):
        is_done = not has_open()
        _delete(noted.marks if is_done else noted.marks[:-1])
    return is_done


def sweep(kind: Kind, *, has_open: HasOpen) -> Iterator[UUID]:
    """Each tenant that has work of this kind, to be done before the next one is asked for; who has none left is forgotten."""
    for noted in tenants_with(kind):
        yield noted.tenant_id
        forget_if_done(noted, has_open=has_open)


def thin_out(kind: Kind) -> None:
    """Leave each tenant its newest mark only: for a kind that is noted while its sweep is switched off."""
    marks = OpenWork.objects.filter(kind=kind)
    # One statement, so that it deletes no mark that it does not see when it looks for the newest.
    newest = marks.values("tenant_id").annotate(newest=Max("id")).values("newest")
    marks.exclude(id__in=newest).delete()


def note_missed(kinds: Mapping[Kind, HasOpen], tenant_id: UUID) -> list[Kind]:
    """Note open work of the tenant that has no mark; returns of which kinds."""
    # One moment for all that is read: a sweep may forget work that ends meanwhile.
    with tenant_snapshot(tenant_id):
        marked = set(OpenWork.objects.filter(tenant_id=tenant_id).values_list("kind", flat=True))
        missed = [kind for kind, has_open in kinds.items() if kind not in marked and has_open()]
        for kind in missed:
            note(kind)
    return missed


def _delete(marks: Sequence[int]) -> None:
    if marks:
        OpenWork.objects.filter(id__in=marks).delete()

"""Rotating a tenant's keys while it answers: keys are wrapped anew, payloads are not touched.

Each step commits by itself and is found undone or done when it is run again, so that it may be killed at any point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from helpdesk.master_keys import master_keys
from helpdesk.tenants.scope import tenant_atomic
from tracing.chain import append_to_chain, locked_head
from tracing.keys import active_key, asked_provider, new_row, unwrapped, wrap
from tracing.models import DataKey, KeyEvent, KeyEventKind, KeyPurpose

ROTATIONS = (KeyEventKind.ROTATION_BEGUN, KeyEventKind.ROTATED)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rotation:
    """What one run did. `resumed` says that it finished a rotation which was begun before."""

    tenant_key: UUID
    master_key_id: str
    by_master: int
    by_tenant: int
    retired: int
    destroyed: int
    resumed: bool


def rotate_keys(tenant_id: UUID, *, progress: Progress = lambda _done, _total: None) -> Rotation:
    """Rotate the tenant's keys, or finish a rotation that was cut off. Runs outside any transaction.

    Master-wrapped keys come under the current master key, customers' keys under a new tenant key, and new traces get
    new content keys. `progress` receives keys done and keys in all. Raises SealError; what was done until then stays.
    """
    begun, resumed = _begin(tenant_id)
    with tenant_atomic(tenant_id):
        by_master = list(_master_wrapped().values_list("id", flat=True))
        by_tenant = list(_wrapped_by_others(begun.subject).values_list("id", flat=True))
    total = len(by_master) + len(by_tenant)
    progress(0, total)
    for done, key_id in enumerate(by_master, 1):
        _rewrap(tenant_id, key_id)
        progress(done, total)
    for done, key_id in enumerate(by_tenant, len(by_master) + 1):
        _rewrap(tenant_id, key_id, under=begun.subject)
        progress(done, total)
    return _finish(tenant_id, begun, by_master, by_tenant, resumed=resumed)


def _begin(tenant_id: UUID) -> tuple[KeyEvent, bool]:
    """The rotation to work on: one that was cut off, or a new one with its tenant key."""
    with tenant_atomic(tenant_id):
        locked_head()
        last: KeyEvent | None = KeyEvent.objects.filter(kind__in=ROTATIONS).order_by("-sequence").first()
        active, _key = active_key(KeyPurpose.TENANT)
        # Had the tenant's content been erased meanwhile, the rotation's key would be gone.
        if last is not None and last.kind == KeyEventKind.ROTATION_BEGUN and last.subject == active.id:
            return last, True
        now = timezone.now()
        retired = _retire(now)
        row = new_row(KeyPurpose.TENANT)
        row.save(force_insert=True)
        event = KeyEvent(
            kind=KeyEventKind.ROTATION_BEGUN, subject=row.id, master_key_id=row.master_key_id, at=now,
            figures={"retired": retired},
        )  # fmt: skip
        return append_to_chain(event), False


def _retire(now: datetime) -> int:
    """New content gets new keys: under the chain's lock no key is made meanwhile. Returns how many content keys."""
    DataKey.objects.filter(purpose=KeyPurpose.TENANT, retired_at__isnull=True).update(retired_at=now)
    return int(DataKey.objects.filter(purpose=KeyPurpose.CONTENT, retired_at__isnull=True).update(retired_at=now))


def _rewrap(tenant_id: UUID, key_id: UUID, *, under: UUID | None = None) -> None:
    """One key in one transaction; a key that was destroyed meanwhile stays so."""
    with tenant_atomic(tenant_id):
        row: DataKey = DataKey.objects.select_for_update(of=("self",)).select_related("parent").get(id=key_id)
        if row.destroyed_at is not None:
            return
        parent = DataKey.objects.get(id=under) if under else None
        wrap(row, unwrapped(row), parent=parent)
        row.save(update_fields=["wrapped", "parent", "master_key_id"])


def _finish(
    tenant_id: UUID, begun: KeyEvent, by_master: Iterable[UUID], by_tenant: Iterable[UUID], *, resumed: bool
) -> Rotation:
    with tenant_atomic(tenant_id):
        locked_head()
        # The tenant key before this one stays for those who are just reading; older ones wrap nothing any more.
        older = DataKey.objects.filter(purpose=KeyPurpose.TENANT, retired_at__lt=begun.at, destroyed_at__isnull=True)
        doomed = list(older.order_by("id").values_list("id", flat=True))
        rotation = Rotation(
            tenant_key=begun.subject or UUID(int=0),
            master_key_id=_current_master(),
            by_master=len(list(by_master)),
            by_tenant=len(list(by_tenant)),
            retired=begun.figures["retired"],
            destroyed=DataKey.objects.filter(id__in=doomed).update(wrapped=b"", destroyed_at=timezone.now()),
            resumed=resumed,
        )
        figures = {name: getattr(rotation, name) for name in ("by_master", "by_tenant", "retired", "destroyed")}
        figures["destroyed_keys"] = [str(key_id) for key_id in doomed]
        append_to_chain(
            KeyEvent(
                kind=KeyEventKind.ROTATED, subject=begun.subject, master_key_id=rotation.master_key_id, figures=figures
            )
        )
        return rotation


def _living() -> QuerySet[DataKey]:
    rows: QuerySet[DataKey] = DataKey.objects.filter(destroyed_at__isnull=True).exclude(wrapped=b"").order_by("id")
    return rows


def _master_wrapped() -> QuerySet[DataKey]:
    return _living().filter(parent__isnull=True).exclude(master_key_id=_current_master())


def _wrapped_by_others(tenant_key: UUID | None) -> QuerySet[DataKey]:
    return _living().filter(parent__isnull=False).exclude(parent_id=tenant_key)


def _current_master() -> str:
    return asked_provider(lambda: master_keys().key_id)

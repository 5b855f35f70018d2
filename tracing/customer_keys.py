"""Content keys, one active for each customer, wrapped by the tenant's key."""

from __future__ import annotations

from uuid import UUID

from tracing.chain import locked_head
from tracing.keys import active_key, new_row, unwrapped
from tracing.models import DataKey, KeyPurpose


def active_content_key(visitor_id: UUID) -> tuple[DataKey, bytes]:
    """The key for new content of a visitor of the current tenant, made now if there is none. Raises SealError.

    A new one is made under the chain's lock, so that neither a rotation nor an erasure can miss it.
    """
    row = _active_row(visitor_id)
    if row is None:
        locked_head()
        row = _active_row(visitor_id) or _made(visitor_id)
    return row, unwrapped(row)


def _active_row(visitor_id: UUID) -> DataKey | None:
    rows = DataKey.objects.select_related("parent")
    row: DataKey | None = rows.filter(
        purpose=KeyPurpose.CONTENT, visitor_id=visitor_id, retired_at__isnull=True
    ).first()
    return row


def _made(visitor_id: UUID) -> DataKey:
    row = new_row(KeyPurpose.CONTENT, parent=active_key(KeyPurpose.TENANT)[0], visitor_id=visitor_id)
    row.save(force_insert=True)
    return row

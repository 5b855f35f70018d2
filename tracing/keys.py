"""A tenant's keys: made on first use, stored wrapped by their parent or the master key, unwrapped in memory for minutes.

Whether a key was destroyed is asked of its row, never of the cache.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar
from uuid import UUID, uuid4

from cachetools import TTLCache

from helpdesk import crypto
from helpdesk.crypto import SealError
from helpdesk.master_keys import master_keys
from helpdesk.tenants.scope import current_tenant_id
from tracing.models import DataKey, KeyPurpose

CACHED_KEYS = 1024
CACHE_SECONDS = 300.0
T = TypeVar("T")
# A key's row, who wrapped it, and the digest of the wrapped bytes.
CacheName = tuple[UUID, str, bytes]


class KeyCache:
    """Unwrapped keys by row and wrapping; bounded in number and age, the least recently used one makes room. Thread-safe."""

    def __init__(self, *, size: int = CACHED_KEYS, seconds: float = CACHE_SECONDS) -> None:
        self._keys: TTLCache[CacheName, bytes] = TTLCache(size, seconds)
        self._lock = threading.Lock()

    def get(self, name: CacheName) -> bytes | None:
        """The key, unless it is unknown or too old."""
        with self._lock:
            self._keys.expire()
            return self._keys.get(name)

    def put(self, name: CacheName, key: bytes) -> None:
        """Remember the key."""
        with self._lock:
            self._keys[name] = key

    def forget(self, row_id: UUID) -> None:
        """Forget one row's key."""
        with self._lock:
            for name in [name for name in self._keys if name[0] == row_id]:
                self._keys.pop(name, None)

    def clear(self) -> None:
        """Forget all keys."""
        with self._lock:
            self._keys.clear()


cache = KeyCache()


def active_key(purpose: KeyPurpose) -> tuple[DataKey, bytes]:
    """The current tenant's key of that purpose, made now if there is none. Raises SealError without the master key.

    Not for content: that has keys of its own for each customer.
    """
    row = _active_row(purpose)
    if row is None:
        # Two workers may make the first key at once: one row wins, and both use that one.
        DataKey.objects.bulk_create([new_row(purpose)], ignore_conflicts=True)
        row = DataKey.objects.get(purpose=purpose, visitor=None, retired_at__isnull=True)
    return row, unwrapped(row)


def existing_key(purpose: KeyPurpose) -> bytes:
    """The current tenant's key; raises SealError when there is none, since a new one would fit nothing."""
    row = _active_row(purpose)
    if row is None:
        raise SealError(f"The {purpose} key is gone; what was made with it cannot be checked.")
    return unwrapped(row)


def stored_key(key_id: UUID) -> DataKey:
    """The key's row as the database has it now, with its parent. Raises SealError when it is gone."""
    row: DataKey | None = DataKey.objects.select_related("parent").filter(id=key_id).first()
    if row is None:
        raise SealError("The key is gone.")
    return row


def unwrapped(row: DataKey) -> bytes:
    """The key in clear. Raises SealError when it was destroyed or what wrapped it is not at hand.

    The row must be fresh: it says whether the key was destroyed.
    """
    wrapped = bytes(row.wrapped)
    if row.destroyed_at is not None or not wrapped:
        raise SealError("The key was destroyed; what it sealed can no longer be opened.")
    # Asked before the cache: without the master key nothing opens.
    above = unwrapped(row.parent) if row.parent else b""
    wrapper = str(row.parent_id) if row.parent else asked_provider(lambda: master_keys().key_id)
    name = (row.id, wrapper, sha256(wrapped).digest())
    key = cache.get(name)
    if key is None:
        key = crypto.unseal(above, wrapped, wrapping_data(row)) if row.parent else _unwrapped_by_master(row, wrapped)
        cache.put(name, key)
    return key


def new_row(purpose: KeyPurpose, *, parent: DataKey | None = None, visitor_id: UUID | None = None) -> DataKey:
    """A row with a new random key, not stored yet."""
    row = DataKey(id=uuid4(), tenant_id=current_tenant_id(), purpose=purpose, visitor_id=visitor_id)
    wrap(row, crypto.new_key(), parent=parent)
    return row


def wrap(row: DataKey, key: bytes, *, parent: DataKey | None) -> None:
    """Put the key into the row, wrapped by `parent`, or by the current master key without one. Stores nothing."""
    row.parent = parent
    if parent is not None:
        row.master_key_id = ""
        row.wrapped = crypto.seal(unwrapped(parent), key, wrapping_data(row))
        return
    provider = master_keys()
    row.master_key_id = asked_provider(lambda: provider.key_id)
    row.wrapped = asked_provider(lambda: provider.wrap(key, wrapping_data(row)))


def asked_provider(ask: Callable[[], T]) -> T:
    """What the master key provider says; whatever goes wrong there is a SealError."""
    try:
        return ask()
    except SealError:
        raise
    except Exception as error:
        raise SealError(f"The master key provider failed: {type(error).__name__}.") from error


def _unwrapped_by_master(row: DataKey, wrapped: bytes) -> bytes:
    data = wrapping_data(row)
    return asked_provider(lambda: master_keys().unwrap(wrapped, data, key_id=row.master_key_id))


def _active_row(purpose: KeyPurpose) -> DataKey | None:
    row: DataKey | None = DataKey.objects.filter(purpose=purpose, visitor=None, retired_at__isnull=True).first()
    return row


def wrapping_data(row: DataKey) -> bytes:
    """Binds a wrapped key to its tenant, row and purpose; a customer's also to the customer and the tenant's key."""
    place = f"glassdesk/key/{row.tenant_id}/{row.id}/{row.purpose}"
    return (f"{place}/{row.visitor_id}/{row.parent_id}" if row.parent_id else place).encode()

"""A tenant's keys: made on first use, stored wrapped by the master key, unwrapped in memory for a few minutes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from uuid import UUID, uuid4

from helpdesk import crypto
from helpdesk.crypto import MasterKey, SealError
from helpdesk.tenants.scope import current_tenant_id
from tracing.models import DataKey, KeyPurpose

CACHED_KEYS = 1024
CACHE_SECONDS = 300.0


class KeyCache:
    """Unwrapped keys by the id of their row and of the master key; bounded in number and age. Thread-safe."""

    def __init__(self, *, size: int = CACHED_KEYS, seconds: float = CACHE_SECONDS) -> None:
        self._size, self._seconds = size, seconds
        self._keys: OrderedDict[tuple[UUID, str], tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: tuple[UUID, str]) -> bytes | None:
        """The key, unless it is unknown or too old."""
        with self._lock:
            since, key = self._keys.get(name, (0.0, b""))
            if not key or time.monotonic() - since > self._seconds:
                self._keys.pop(name, None)
                return None
            self._keys.move_to_end(name)
            return key

    def put(self, name: tuple[UUID, str], key: bytes) -> None:
        """Remember the key; the least recently used one makes room."""
        with self._lock:
            self._keys[name] = (time.monotonic(), key)
            self._keys.move_to_end(name)
            while len(self._keys) > self._size:
                self._keys.popitem(last=False)

    def clear(self) -> None:
        """Forget all keys."""
        with self._lock:
            self._keys.clear()

    def __len__(self) -> int:
        return len(self._keys)


cache = KeyCache()


def active_key(purpose: KeyPurpose) -> tuple[DataKey, bytes]:
    """The current tenant's key for new rows, made now if there is none. Raises SealError without the master key."""
    master = crypto.master_key()
    row = _active_row(purpose)
    if row is None:
        # Two workers may make the first key at once: one row wins, and both use that one.
        DataKey.objects.bulk_create([_new_row(purpose, master)], ignore_conflicts=True)
        row = DataKey.objects.get(purpose=purpose, retired_at__isnull=True)
    return row, unwrapped(row)


def existing_key(purpose: KeyPurpose) -> bytes:
    """The current tenant's key; raises SealError when there is none, since a new one would fit nothing."""
    row = _active_row(purpose)
    if row is None:
        raise SealError(f"The {purpose} key is gone; what was made with it cannot be checked.")
    return unwrapped(row)


def unwrapped(row: DataKey) -> bytes:
    """The key in clear. Raises SealError when it was destroyed or another master key wrapped it."""
    master = crypto.master_key()
    if not row.wrapped:
        raise SealError("The key was destroyed; what it sealed cannot be opened any more.")
    if row.master_key_id != master.key_id:
        raise SealError(f"The key is wrapped by master key {row.master_key_id}, but {master.key_id} is configured.")
    name = (row.id, master.key_id)
    key = cache.get(name)
    if key is None:
        key = crypto.unseal(master.key, bytes(row.wrapped), _wrapping_data(row))
        cache.put(name, key)
    return key


def _active_row(purpose: KeyPurpose) -> DataKey | None:
    row: DataKey | None = DataKey.objects.filter(purpose=purpose, retired_at__isnull=True).first()
    return row


def _new_row(purpose: KeyPurpose, master: MasterKey) -> DataKey:
    row = DataKey(id=uuid4(), tenant_id=current_tenant_id(), purpose=purpose, master_key_id=master.key_id)
    row.wrapped = crypto.seal(master.key, crypto.new_key(), _wrapping_data(row))
    return row


def _wrapping_data(row: DataKey) -> bytes:
    """Binds a wrapped key to its tenant, row and purpose."""
    return f"glassdesk/key/{row.tenant_id}/{row.id}/{row.purpose}".encode()

"""Master keys: they wrap the keys of tenants and never leave their provider.

GLASSDESK_MASTER_KEY_PROVIDER names a class that is made once without arguments and fulfils `MasterKeyProvider`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk import crypto
from helpdesk.crypto import KEY_BYTES, SealError

MAX_KEY_ID = 200


class MasterKeyProvider(Protocol):
    """What a key management service must offer. Everything raises SealError (others count as one) and fails closed.

    Called from several threads at once, and while a transaction is open: time out within seconds. Unwrapped keys are
    kept in memory for minutes, so that a service is not asked for every answer.
    """

    @property
    def key_id(self) -> str:
        """The name (1 to 200 characters) of the key that wraps now; must not reveal it."""

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        """The 32-byte key, encrypted under the key `key_id` and authenticated together with `associated`."""

    def unwrap(self, wrapped: bytes, associated: bytes, *, key_id: str) -> bytes:
        """What `wrap` was given when `key_id` was the current key; must refuse other `associated` data."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A master key in this process. `key_id` names it without revealing it (first 8 bytes of SHA-256, hex)."""

    key: bytes

    @property
    def key_id(self) -> str:
        return hashlib.sha256(b"glassdesk-master-key" + self.key).hexdigest()[:16]


class EnvironmentMasterKeys:
    """GLASSDESK_MASTER_KEY wraps; GLASSDESK_PREVIOUS_MASTER_KEYS (comma separated) only unwrap. Both also as _FILE."""

    @property
    def key_id(self) -> str:
        """The current key's name; raises SealError when there is none, so that nothing is stored in clear."""
        return self._current().key_id

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        """AES-256-GCM under the current key."""
        return crypto.seal(self._current().key, key, associated)

    def unwrap(self, wrapped: bytes, associated: bytes, *, key_id: str) -> bytes:
        """Opens what the current key or a previous one wrapped; raises SealError for a key that is not configured."""
        for known in (self._current(), *_previous()):
            if known.key_id == key_id:
                return crypto.unseal(known.key, wrapped, associated)
        raise SealError(
            f"The key is wrapped by master key {key_id}, which is not configured: "
            "set it as GLASSDESK_MASTER_KEY or among GLASSDESK_PREVIOUS_MASTER_KEYS."
        )

    def _current(self) -> MasterKey:
        if not settings.MASTER_KEY:
            raise SealError("No master key: set GLASSDESK_MASTER_KEY or GLASSDESK_MASTER_KEY_FILE (32 bytes, base64).")
        return _decoded(settings.MASTER_KEY, "GLASSDESK_MASTER_KEY")


def master_keys() -> MasterKeyProvider:
    """The configured provider; raises SealError when it cannot be made."""
    return _provider(settings.MASTER_KEY_PROVIDER)


def check_master_key() -> None:
    """Wrap and unwrap a throw-away key; raises SealError when that fails."""
    provider, probe = master_keys(), crypto.new_key()
    try:
        name = provider.key_id
        wrapped = provider.wrap(probe, b"glassdesk/probe")
        returned = provider.unwrap(wrapped, b"glassdesk/probe", key_id=name)
    except SealError:
        raise
    except Exception as error:
        raise SealError(f"The master key provider failed: {type(error).__name__}.") from error
    if not 0 < len(name) <= MAX_KEY_ID or returned != probe or probe in wrapped:
        raise SealError("The master key provider does not wrap keys as it must.")


@lru_cache(maxsize=4)
def _provider(path: str) -> MasterKeyProvider:
    try:
        provider: MasterKeyProvider = import_string(path)()
    except Exception as error:
        raise SealError(f"GLASSDESK_MASTER_KEY_PROVIDER {path} cannot be made: {type(error).__name__}.") from error
    return provider


def _previous() -> list[MasterKey]:
    listed = settings.PREVIOUS_MASTER_KEYS.replace("\n", ",").split(",")
    return [_decoded(each.strip(), "GLASSDESK_PREVIOUS_MASTER_KEYS") for each in listed if each.strip()]


def _decoded(encoded: str, name: str) -> MasterKey:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise SealError(f"{name} is not valid base64.") from error
    if len(key) != KEY_BYTES:
        raise SealError(f"{name} must hold {KEY_BYTES} bytes, not {len(key)}.")
    return MasterKey(key)

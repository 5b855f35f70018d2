"""The text of a key: `gd_<tenant>_<prefix>_<secret>`, all lower-case base32, so that a double click selects it whole.

The tenant's id is part of it because row-level security hides every key until a tenant's scope is open: the scope named by
the text is opened first and the key found in it, so that no policy needs an exception. The id opens nothing by itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

MARK = "gd"
PREFIX_CHARACTERS = 8
SECRET_BYTES = 30
_SHAPE = re.compile(r"gd_([a-z2-7]{26})_([a-z2-7]{8})_([a-z2-7]{48})", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyText:
    """A well-formed key; whether it opens anything is another question."""

    tenant_id: UUID
    prefix: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the whole text in hex: with 240 random bits in it, a slow hash would protect nothing more."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def make_key_text(tenant_id: UUID) -> KeyText:
    """A new key of the tenant."""
    prefix = _base32(secrets.token_bytes(5))
    text = "_".join([MARK, _base32(tenant_id.bytes), prefix, _base32(secrets.token_bytes(SECRET_BYTES))])
    return KeyText(tenant_id, prefix, text)


def parse_key_text(text: str) -> KeyText | None:
    """The parts of a key; None for anything that is not one."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    try:
        tenant_id = UUID(bytes=base64.b32decode(match[1].upper() + "======"))
    except (binascii.Error, ValueError):
        return None
    return KeyText(tenant_id, match[2], text)


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()

"""Sealing with AES-256-GCM and the keys for it: a master key wraps data keys, data keys seal payloads.

NIST SP 800-38D: a 96-bit random nonce per sealing. Associated data binds a ciphertext to its place.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12
KEY_BYTES = 32


class SealError(Exception):
    """Sealing or opening failed: no key, wrong key, or altered bytes. Never carries content."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key that wraps data keys. `key_id` names it without revealing it (first 8 bytes of SHA-256, hex)."""

    key: bytes

    @property
    def key_id(self) -> str:
        return hashlib.sha256(b"glassdesk-master-key" + self.key).hexdigest()[:16]


def master_key() -> MasterKey:
    """The configured master key; raises SealError when there is none, so that nothing is stored in clear."""
    encoded = settings.MASTER_KEY
    if not encoded:
        raise SealError("No master key: set GLASSDESK_MASTER_KEY or GLASSDESK_MASTER_KEY_FILE (32 bytes, base64).")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise SealError("GLASSDESK_MASTER_KEY is not valid base64.") from error
    if len(key) != KEY_BYTES:
        raise SealError(f"GLASSDESK_MASTER_KEY must hold {KEY_BYTES} bytes, not {len(key)}.")
    return MasterKey(key)


def new_key() -> bytes:
    """A random 256-bit data key."""
    return AESGCM.generate_key(bit_length=256)


def seal(key: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Nonce followed by ciphertext and tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated)


def unseal(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The plaintext; raises SealError when key, bytes or associated data do not match."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
    except (InvalidTag, ValueError) as error:
        raise SealError("The sealed content cannot be opened: wrong key, or it was altered.") from error


def chain(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 over length-prefixed parts, so that moving a border changes the result."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        mac.update(len(part).to_bytes(8, "big"))
        mac.update(part)
    return mac.digest()


def derive(key: bytes, purpose: str) -> bytes:
    """An independent key for another purpose (HMAC as a PRF, RFC 5869 expand with one block)."""
    return hmac.new(key, purpose.encode() + b"\x01", hashlib.sha256).digest()

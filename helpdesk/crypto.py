"""Sealing with AES-256-GCM and the keys for it: a master key wraps data keys, data keys seal payloads.

NIST SP 800-38D: a 96-bit random nonce per sealing. Associated data binds a ciphertext to its place.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32


class SealError(Exception):
    """Sealing or opening failed: no key, wrong key, or altered bytes. Never carries content."""


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

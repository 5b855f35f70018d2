"""Signed checkpoints of a tenant's chain: kept elsewhere, they show that a database was put back to an older state.

The signature (Ed25519) covers the JSON object without `signature`, keys sorted, no spaces, UTF-8. Runs inside
`tenant_atomic`.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import transaction
from django.db.models import QuerySet

from helpdesk.crypto import SealError
from helpdesk.tenants.scope import current_tenant_id
from tracing.chain import append_to_chain
from tracing.keys import active_key, existing_key
from tracing.models import (
    ChainHead,
    DeletionReceipt,
    KeyEvent,
    KeyEventKind,
    KeyPurpose,
    RetentionChange,
    Trace,
    TraceAccess,
    TraceAnalysis,
)

FORMAT_VERSION = 1
FIELDS = {"format", "tenant", "sequence", "chain", "at", "public_key", "signature"}
TABLES = (KeyEvent, Trace, TraceAccess, TraceAnalysis, DeletionReceipt, RetentionChange)


class CheckpointMalformed(ValueError):
    """The file is no checkpoint of this format."""


@dataclass(frozen=True, slots=True)
class CheckpointResult:
    """`problem` is empty when the chain still holds the checkpoint; `fingerprint` names the key that signed it."""

    sequence: int
    fingerprint: str
    problem: str = ""


def export_checkpoint() -> dict[str, Any]:
    """A signed checkpoint of the chain as it stands now. Raises SealError without the keys.

    It gets a row of its own in the chain: that row is never deleted, so that the checkpoint can always be compared.
    """
    with transaction.atomic():
        row, seed = active_key(KeyPurpose.SIGNING)
        signer = Ed25519PrivateKey.from_private_bytes(seed)
        event = append_to_chain(KeyEvent(kind=KeyEventKind.CHECKPOINT, subject=row.id))
    checkpoint = {
        "format": FORMAT_VERSION,
        "tenant": str(current_tenant_id()),
        "sequence": event.sequence,
        "chain": bytes(event.chain).hex(),
        "at": event.at.astimezone(UTC).isoformat(),
        "public_key": base64.b64encode(signer.public_key().public_bytes_raw()).decode(),
    }
    return checkpoint | {"signature": base64.b64encode(signer.sign(_message(checkpoint))).decode()}


def verify_checkpoint(checkpoint: dict[str, Any]) -> CheckpointResult:
    """Whether the tenant in scope signed this and its chain still passes through it. Raises CheckpointMalformed.

    Says nothing about the rest of the chain: `verify_chain` does.
    """
    public = _public_key(checkpoint)
    sequence, name = int(checkpoint["sequence"]), fingerprint(checkpoint)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(_decoded(checkpoint["signature"]), _message(checkpoint))
    except (InvalidSignature, ValueError):
        return CheckpointResult(sequence, name, "the signature does not fit: the file was altered")
    return CheckpointResult(sequence, name, _problem(checkpoint, public))


def parse_checkpoint(text: str) -> dict[str, Any]:
    """The checkpoint in a file's text; raises CheckpointMalformed."""
    try:
        checkpoint: Any = json.loads(text)
    except ValueError:
        raise CheckpointMalformed("it is not JSON") from None
    if not isinstance(checkpoint, dict) or set(checkpoint) != FIELDS or checkpoint["format"] != FORMAT_VERSION:
        raise CheckpointMalformed(f"it is not a checkpoint of format {FORMAT_VERSION}")
    texts = [checkpoint[each] for each in FIELDS - {"format", "sequence"}]
    if type(checkpoint["sequence"]) is not int or not all(isinstance(each, str) for each in texts):
        raise CheckpointMalformed("a field has the wrong type")
    return checkpoint


def fingerprint(checkpoint: dict[str, Any]) -> str:
    """Names the key that signed: SHA-256 of the public key, in hex."""
    return sha256(_public_key(checkpoint)).hexdigest()


def _problem(checkpoint: dict[str, Any], public: bytes) -> str:
    if checkpoint["tenant"] != str(current_tenant_id()):
        return "it belongs to another tenant"
    try:
        own = Ed25519PrivateKey.from_private_bytes(existing_key(KeyPurpose.SIGNING)).public_key().public_bytes_raw()
    except SealError:
        own = b""
    if own != public:
        return "this database has another signing key: it is older than the checkpoint, or the key was replaced"
    head = ChainHead.objects.first()
    if head is None or head.sequence < checkpoint["sequence"]:
        return "the chain ends before the checkpoint: the database was put back to an older state"
    links = {bytes(link).hex() for table in TABLES for link in _links_at(table.objects.all(), checkpoint["sequence"])}
    return "" if links == {checkpoint["chain"]} else "the chain does not pass through the checkpoint: it was rewritten"


def _links_at(rows: QuerySet[Any], sequence: int) -> list[bytes]:
    return list(rows.filter(sequence=sequence).values_list("chain", flat=True))


def _message(checkpoint: dict[str, Any]) -> bytes:
    signed = {name: value for name, value in checkpoint.items() if name != "signature"}
    return json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _public_key(checkpoint: dict[str, Any]) -> bytes:
    return _decoded(checkpoint["public_key"])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CheckpointMalformed("a field is not base64") from None

"""The links of a tenant's chain: HMAC-SHA-256, each over a row with a label of its table and the link before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from helpdesk import crypto
from tracing.columns import linked_columns
from tracing.models import ChainedModel, Trace, TraceAccess

# Every column but payloads (their digests stand for them) and the link itself; those of a trace are in `tracing.columns`.
_PLACE = ("id", "tenant_id", "sequence")
LINKED_FIELDS: dict[str, tuple[str, ...]] = {
    "traceaccess": (*_PLACE, "trace_id", "user_id", "reason", "opened", "at"),
    "traceanalysis": (
        *_PLACE,
        "trace_id",
        "kind",
        "created_at",
        "duration_ms",
        "figures",
        "key_id",
        "sealed_digest",
    ),
    "deletionreceipt": (
        *_PLACE,
        "kind",
        "subject",
        "count",
        "first_sequence",
        "last_sequence",
        "runs",
        "ids_digest",
        "policy",
        "at",
    ),
    "retentionchange": (*_PLACE, "kind", "subject", "user_id", "reason", "policy", "at"),
    "keyevent": (*_PLACE, "kind", "subject", "master_key_id", "figures", "at"),
}
# Joins the link of a read by an API key only: other reads link as they did before there were keys.
OF_A_KEY = ("api_key_id",)
GENESIS = b""
# Ends of chains from before the state beside them was noted say so by their label, which nobody can put back without the key.
HEAD, HEAD_BEFORE_STATE = b"head/2", b"head"
EMPTY_DIGEST = hashlib.sha256(b"").digest()


def digest(sealed: bytes) -> bytes:
    """SHA-256 of a sealed payload."""
    return hashlib.sha256(sealed).digest()


def label(row: ChainedModel) -> str:
    """The name of the row's table in the chain."""
    return str(row._meta.model_name)


def link(key: bytes, row: ChainedModel, *, previous: bytes, sequence: int | None = None) -> bytes:
    """The row's link after `previous`; `sequence` asks what it would be at another place."""
    columns = {name: _plain(getattr(row, name)) for name in linked_fields(row)}
    if sequence is not None:
        columns["sequence"] = sequence
    plain = plain_json(columns)
    if not isinstance(row, Trace):
        return crypto.chain(key, label(row).encode(), previous, plain)
    if row.format == 1:
        return crypto.chain(key, b"trace", previous, bytes(row.sealed_digest), plain)
    digests = bytes(row.sealed_digest), bytes(row.sealed_prompt_digest)
    return crypto.chain(key, f"trace/{row.format}".encode(), previous, *digests, plain)


def linked_fields(row: ChainedModel) -> Sequence[str]:
    """The columns that the row's link covers."""
    if isinstance(row, Trace):
        return linked_columns(row)
    names = LINKED_FIELDS[label(row)]
    if isinstance(row, TraceAccess):
        return (*names, *(name for name in OF_A_KEY if getattr(row, name)))
    return names


def head_mac(key: bytes, *, sequence: int, chain: bytes, label: bytes = HEAD) -> bytes:
    """Authenticates the end of the chain."""
    return crypto.chain(key, label, sequence.to_bytes(8, "big"), chain)


def plain_json(value: Any) -> bytes:
    """One encoding for one value: UUIDs and times become text, numbers, text and lists stay JSON."""
    return json.dumps(value, sort_keys=True, default=_text, ensure_ascii=True, allow_nan=False).encode()


def _text(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value

"""The links of a tenant's chain of traces: HMAC-SHA-256, each over the row and the link before it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC

from helpdesk import crypto
from tracing.models import Trace

# Every column but the payload (its digest stands for it) and the link itself. New columns join with a new format.
LINKED_FIELDS = (
    "id",
    "tenant_id",
    "reply_id",
    "conversation_id",
    "sequence",
    "outcome",
    "style",
    "language",
    "model",
    "quantization",
    "confidence_band",
    "finish_reason",
    "attempt",
    "prompt_tokens",
    "cached_prompt_tokens",
    "answer_tokens",
    "candidate_count",
    "source_count",
    "queue_ms",
    "retrieve_ms",
    "first_token_ms",
    "total_ms",
    "steps",
    "format",
    "content_bytes",
    "sealed_bytes",
    "key_id",
)
GENESIS = b""


def digest(sealed: bytes) -> bytes:
    """SHA-256 of a sealed payload."""
    return hashlib.sha256(sealed).digest()


def link(key: bytes, trace: Trace, *, previous: bytes, sequence: int | None = None) -> bytes:
    """The trace's link after `previous`; `sequence` asks what it would be at another place."""
    columns = {name: getattr(trace, name) for name in LINKED_FIELDS}
    columns["created_at"] = trace.created_at.astimezone(UTC).isoformat()
    if sequence is not None:
        columns["sequence"] = sequence
    # default=str turns UUIDs into text; numbers, text and lists stay JSON.
    plain = json.dumps(columns, sort_keys=True, default=str, ensure_ascii=True, allow_nan=False)
    return crypto.chain(key, b"trace", previous, bytes(trace.sealed_digest), plain.encode())


def head_mac(key: bytes, *, sequence: int, chain: bytes) -> bytes:
    """Authenticates the end of the chain."""
    return crypto.chain(key, b"head", sequence.to_bytes(8, "big"), chain)

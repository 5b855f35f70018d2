"""Between plain bytes and the sealed bytes in a row: compressed, then sealed under a key and bound to their place."""

from __future__ import annotations

import zlib
from uuid import UUID

from helpdesk import crypto
from helpdesk.crypto import SealError
from tracing.content import TraceContent
from tracing.plain import Malformed

CONTENT_FIELD = "content"
PROMPT_FIELD = "prompt"
ANSWER_FIELD = "answer"
# No honest content comes near; a limit keeps altered bytes from filling the memory.
MAX_CONTENT_BYTES = 64 * 1024 * 1024


def associated_data(*, tenant_id: UUID | None, trace_id: UUID, field: str, version: int) -> bytes:
    """Binds sealed bytes to one field of one trace of one tenant, in one format."""
    return f"glassdesk/trace/{version}/{tenant_id}/{trace_id}/{field}".encode()


def analysis_data(*, tenant_id: UUID | None, trace_id: UUID, analysis_id: UUID, version: int = 1) -> bytes:
    """Binds sealed bytes to one analysis of one trace of one tenant."""
    return f"glassdesk/analysis/{version}/{tenant_id}/{trace_id}/{analysis_id}".encode()


def seal_content(key: bytes, encoded: bytes, associated: bytes) -> bytes:
    """The sealed bytes of an encoded content."""
    return crypto.seal(key, zlib.compress(encoded, level=6), associated)


def unseal_bytes(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    """What was sealed; raises SealError when key, bytes or place do not match."""
    compressed = crypto.unseal(key, sealed, associated)
    try:
        reader = zlib.decompressobj()
        encoded = reader.decompress(compressed, MAX_CONTENT_BYTES)
        if not reader.eof:
            raise SealError("The sealed content is cut off or too large.")
    except zlib.error:
        # Without the cause: its frames hold content.
        raise SealError("The sealed content was opened but has an unknown format.") from None
    return encoded


def unseal_content(key: bytes, sealed: bytes, associated: bytes) -> TraceContent:
    """A content of format 1; raises SealError also when it has no known shape."""
    encoded = unseal_bytes(key, sealed, associated)
    try:
        return TraceContent.from_json(encoded)
    except Malformed:
        raise SealError("The sealed content was opened but has an unknown format.") from None

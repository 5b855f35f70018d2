"""Between a trace's content and the bytes in its row: JSON, compressed, sealed under the tenant's key."""

from __future__ import annotations

import zlib
from uuid import UUID

from helpdesk import crypto
from helpdesk.crypto import SealError
from tracing.content import FORMAT_VERSION, TraceContent
from tracing.plain import Malformed

CONTENT_FIELD = "content"
# No honest content comes near; a limit keeps altered bytes from filling the memory.
MAX_CONTENT_BYTES = 64 * 1024 * 1024


def associated_data(
    *, tenant_id: UUID, trace_id: UUID, field: str = CONTENT_FIELD, version: int = FORMAT_VERSION
) -> bytes:
    """Binds sealed bytes to one field of one trace of one tenant, in one format."""
    return f"glassdesk/trace/{version}/{tenant_id}/{trace_id}/{field}".encode()


def seal_content(key: bytes, encoded: bytes, associated: bytes) -> bytes:
    """The sealed bytes of an encoded content."""
    return crypto.seal(key, zlib.compress(encoded, level=6), associated)


def unseal_content(key: bytes, sealed: bytes, associated: bytes) -> TraceContent:
    """The content; raises SealError when key, bytes or place do not match or the content has no known shape."""
    compressed = crypto.unseal(key, sealed, associated)
    try:
        reader = zlib.decompressobj()
        encoded = reader.decompress(compressed, MAX_CONTENT_BYTES)
        if not reader.eof:
            raise SealError("The sealed content is cut off or too large.")
        return TraceContent.from_json(encoded)
    except (zlib.error, Malformed):
        # Without the cause: its frames hold content.
        raise SealError("The sealed content was opened but has an unknown format.") from None

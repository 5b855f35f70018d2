"""Names and keys of the streams. One per conversation, one per tenant's inbox, and one per person about their access."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

START = "0-0"
INBOX_SUFFIX = ":inbox"
ACCESS_SUFFIX = ":access"
# Both parts are 64-bit numbers: the server refuses what has more digits.
ENTRY_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


def conversation_stream(tenant_id: UUID, conversation_id: UUID) -> str:
    """The stream that the sockets of one conversation follow."""
    return f"glassdesk:stream:{tenant_id}:{conversation_id}"


def inbox_stream(tenant_id: UUID) -> str:
    """The stream that notifies a tenant's desks which conversation changed."""
    return f"glassdesk:stream:{tenant_id}{INBOX_SUFFIX}"


def access_stream(user_id: int) -> str:
    """The stream that notifies a person's sockets that what let them in may have changed."""
    return f"glassdesk:stream:{user_id}{ACCESS_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One stream entry; `id` is Redis' own and serves as the client's cursor.

    `fact` is the id of the fact that it reports, which may have been published twice; empty for what reports none.
    """

    id: str
    data: dict[str, Any]
    fact: str = ""


def encode(data: dict[str, Any], *, fact: str = "") -> dict[str, str]:
    """The Redis fields of an entry."""
    fields = {"e": json.dumps(data, ensure_ascii=False, separators=(",", ":"))}
    return {**fields, "f": fact} if fact else fields


def decode(entry_id: bytes | str, fields: dict[bytes, bytes]) -> Entry:
    """An entry from Redis' fields."""
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    return Entry(id=text, data=json.loads(fields[b"e"]), fact=fields.get(b"f", b"").decode())


def order(entry_id: str) -> tuple[int, int]:
    """Sort key of an entry id. Raises ValueError for anything that is not one."""
    if not ENTRY_ID.fullmatch(entry_id):
        raise ValueError("not a stream entry id")
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)

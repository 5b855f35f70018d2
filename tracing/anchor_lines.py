"""The lines of the file of anchors: JSON objects, numbered, each with a MAC over itself and the line before.

The key for the MACs stands in the first line, wrapped by the master key; a further line of its kind wraps the same key under a
later master key. A line that was cut short by a crash or a full disk is no line.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import uuid4

from django.utils import timezone

from helpdesk import crypto
from helpdesk.crypto import SealError
from helpdesk.master_keys import master_keys
from tracing.keys import asked_provider

KEY = "key"
_KEY_LINE = b'{"kind":"key"'
Line = dict[str, Any]


@dataclass(slots=True)
class Tail:
    """The last whole line: its number, 0 without any, and its MAC."""

    number: int = 0
    mac: str = ""

    @classmethod
    def of(cls, data: bytes) -> Tail:
        for line in reversed(data.splitlines()):
            parsed = parsed_line(line)
            if parsed is not None:
                return cls(parsed["n"], parsed["mac"])
        return cls()

    def next(self, key: bytes, payload: Line) -> bytes:
        """The line that comes now, with its end."""
        self.number += 1
        numbered = payload | {"n": self.number}
        self.mac = _mac(key, numbered, previous=self.mac)
        return json.dumps(numbered | {"mac": self.mac}, separators=(",", ":")).encode() + b"\n"


def writing_key(data: bytes, tail: Tail) -> tuple[bytes, list[bytes]]:
    """The file's key, and the lines that have to come first: a new file's key, or the key under the current master key."""
    provider = master_keys()
    current = asked_provider(lambda: provider.key_id)
    if not tail.number:
        key, file = crypto.new_key(), str(uuid4())
    else:
        key, key_lines = found_key(data), _key_lines(data)
        if key_lines[-1].get("master_key_id") == current:
            return key, []
        file = str(key_lines[-1].get("file"))
    wrapped = asked_provider(lambda: provider.wrap(key, _place(file)))
    payload = {
        "kind": KEY,
        "file": file,
        "master_key_id": current,
        "wrapped": base64.b64encode(wrapped).decode(),
        "at": timezone.now().astimezone(UTC).isoformat(),
    }
    return key, [tail.next(key, payload)]


def found_key(data: bytes) -> bytes:
    """The key in the first of its lines that opens. Raises SealError."""
    lines = _key_lines(data)
    for line in lines:
        try:
            return _unwrapped(line)
        except (SealError, ValueError, KeyError, TypeError):
            continue
    if not lines:
        raise SealError("its first line, which holds its key, is gone")
    names = ", ".join(sorted({str(line.get("master_key_id")) for line in lines}))
    raise SealError(f"it is sealed by master key {names}: not configured here, or the file of another installation")


def _unwrapped(line: Line) -> bytes:
    wrapped = base64.b64decode(line["wrapped"], validate=True)
    return asked_provider(lambda: master_keys().unwrap(wrapped, _place(line["file"]), key_id=line["master_key_id"]))


def _key_lines(data: bytes) -> list[Line]:
    found = (parsed_line(line) for line in data.splitlines() if line.startswith(_KEY_LINE))
    return [line for line in found if line is not None]


def _place(file: str) -> bytes:
    return f"glassdesk/anchors/{file}".encode()


def parsed_line(line: bytes) -> Line | None:
    """The line's object; None for one that was cut short."""
    try:
        parsed: Any = json.loads(line)
        whole = isinstance(parsed, dict) and isinstance(parsed["n"], int) and isinstance(parsed["mac"], str)
    except (ValueError, KeyError, RecursionError):
        return None
    return parsed if whole else None


def follows(key: bytes, line: Line, *, previous: Line) -> bool:
    """Whether the line is genuine and comes right after `previous`."""
    payload = {name: value for name, value in line.items() if name != "mac"}
    mac = _mac(key, payload, previous=previous["mac"])
    return line["n"] == previous["n"] + 1 and hmac.compare_digest(_bytes(mac), _bytes(line["mac"]))


def _mac(key: bytes, payload: Line, *, previous: str) -> str:
    plain = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    return crypto.chain(key, b"anchors", _bytes(previous), plain).hex()


def _bytes(mac: str) -> bytes:
    """Of a stranger's line too, which may hold anything that JSON can write."""
    return mac.encode("utf-8", "surrogatepass")

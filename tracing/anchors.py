"""Anchors: lines in a file outside the database that say how far each tenant's chain had come.

The file only grows, line by line (`tracing.anchor_lines`). What was cut short by a crash or a full disk is left as it is: the
next line links to the last whole one.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from helpdesk.crypto import SealError
from tracing.anchor_lines import KEY, Line, Tail, follows, found_key, parsed_line, writing_key

ANCHOR, RESTORED = "anchor", "restored"
NAMED_LINES = 5


class AnchorsRefused(Exception):
    """The file is not the one that the database knows: nothing is written until somebody has looked."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a tenant's chain stood: `chain` is the link at `sequence` (hex). `kind` restored: an operator put it back there."""

    kind: str
    tenant: UUID
    sequence: int
    chain: str
    at: datetime


@dataclass(slots=True)
class AnchorLog:
    """What the file says. `trouble` are its own faults: a kind of finding and what is wrong, in words of ours."""

    anchors: dict[UUID, list[Anchor]] = field(default_factory=dict)
    lines: int = 0
    is_there: bool = True
    trouble: list[tuple[str, str]] = field(default_factory=list)


def anchors_file() -> Path | None:
    """Where anchors are kept; None when they are switched off."""
    return Path(settings.ANCHORS) if settings.ANCHORS else None


def read_anchors(path: Path | None = None) -> AnchorLog | None:
    """The anchors in the file, or in a copy of it; None when they are switched off. Raises nothing for a bad file."""
    path = path or anchors_file()
    if path is None:
        return None
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return AnchorLog(is_there=False)
    except OSError as error:
        return AnchorLog(is_there=False, trouble=[("anchors_missing", f"{path.name} cannot be read: {error.strerror}")])
    return _Reading(data).log


def write_anchors(path: Path, anchors: Sequence[Anchor], *, known_lines: int) -> int:
    """Append them and return the number of the last one's line, when it is on the disk; the others stand before it.

    Runs inside `locked_file`, in which the anchors were made too: else a later one could stand before an earlier one.
    `known_lines` is the highest number that the database knows of. Raises AnchorsRefused, OSError, or SealError.
    """
    data = path.read_bytes() if path.exists() else b""
    tail = Tail.of(data)
    if tail.number < known_lines:
        gone = "is gone or empty" if not tail.number else f"ends at line {tail.number}, not at {known_lines}"
        raise AnchorsRefused(f"{path} {gone}")
    key, lines = writing_key(data, tail)
    for anchor in anchors:
        lines.append(tail.next(key, _stored(anchor)))
    _append(path, (b"" if data.endswith(b"\n") or not data else b"\n") + b"".join(lines))
    return tail.number


def put_aside(path: Path) -> Path | None:
    """Rename the file, so that a new one begins; returns its new name, None when there was none."""
    if not path.exists():
        return None
    aside = path.with_name(f"{path.name}.{timezone.now():%Y%m%dT%H%M%S%f}")
    path.rename(aside)
    return aside


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """One writer at a time, over all processes of this machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _append(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        written = os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if written != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


class _Reading:
    """One pass over the lines: each is judged by itself and the line before as it stands, so that one edit spoils one line."""

    def __init__(self, data: bytes) -> None:
        self.log = AnchorLog()
        lines = [parsed for line in data.splitlines() if (parsed := parsed_line(line)) is not None]
        try:
            key = found_key(data)
        except SealError as error:
            self.log.trouble.append(("anchors_altered", str(error)))
            return
        previous: Line = {"n": 0, "mac": ""}
        wrong: list[int] = []
        for line in lines:
            if follows(key, line, previous=previous):
                self._take(line)
            else:
                wrong.append(line["n"])
            previous = line
        self.log.lines = previous["n"]
        if wrong:
            named = ", ".join(str(number) for number in wrong[:NAMED_LINES])
            more = f" and {len(wrong) - NAMED_LINES} more" if len(wrong) > NAMED_LINES else ""
            self.log.trouble.append(("anchors_altered", f"line {named}{more}: edited, or lines before it are gone"))

    def _take(self, line: Line) -> None:
        if line["kind"] != KEY:
            tenant, at = UUID(line["tenant"]), datetime.fromisoformat(line["at"])
            anchor = Anchor(line["kind"], tenant, line["sequence"], line["chain"], at)
            self.log.anchors.setdefault(tenant, []).append(anchor)


def _stored(anchor: Anchor) -> Line:
    return {
        "kind": anchor.kind,
        "tenant": str(anchor.tenant),
        "sequence": anchor.sequence,
        "chain": anchor.chain,
        "at": anchor.at.astimezone(UTC).isoformat(),
    }

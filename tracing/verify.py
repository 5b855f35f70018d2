"""Walking a tenant's chain of traces: which row was altered, removed, inserted or moved?

Needs the chain's key and no content key, so it also works after content was destroyed. A copy of the whole database
that is put back in place of the newer one passes; only a record kept elsewhere can show that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from tracing import chain
from tracing.keys import existing_key
from tracing.models import ChainHead, KeyPurpose, Trace

ROWS_AT_ONCE = 200
# Asking where a row came from tries all places of all broken rows.
MAX_BROKEN_TO_PLACE = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `kind`: altered, content_altered, moved, removed, inserted or head_altered."""

    kind: str
    sequence: int
    trace_id: UUID | None = None
    reply_id: UUID | None = None
    moved_from: int | None = None


@dataclass(slots=True)
class Verification:
    """The result for one tenant: how many rows were read and what is wrong with which."""

    traces: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class _Broken:
    """A row whose link does not fit, with the link that stands before it."""

    trace: Trace
    previous: bytes


def verify_chain() -> Verification:
    """Check every trace of the tenant in scope. Raises SealError without the chain's key."""
    head = ChainHead.objects.first()
    result = Verification()
    rows = _rows()
    if head is None:
        result.findings = [_finding("inserted", trace) for trace in islice(rows, 100)]
        return result
    key = existing_key(KeyPurpose.CHAIN)
    end = _walk(key, head, rows, result)
    result.findings += _check_head(key, head, end)
    result.findings.sort(key=lambda finding: finding.sequence)
    return result


def _rows() -> Iterator[Trace]:
    rows: Iterator[Trace] = Trace.objects.order_by("sequence").iterator(chunk_size=ROWS_AT_ONCE)
    return rows


def _walk(key: bytes, head: ChainHead, rows: Iterator[Trace], result: Verification) -> bytes:
    """Check each row against the one before it as it stands, so that one bad row does not condemn the rest."""
    previous, expected = chain.GENESIS, 1
    broken: list[_Broken] = []
    for trace in rows:
        result.traces += 1
        gap = range(expected, min(trace.sequence, head.sequence + 1))
        result.findings += [Finding("removed", sequence) for sequence in gap]
        if trace.sequence > head.sequence:
            result.findings.append(_finding("inserted", trace))
            continue
        if chain.digest(bytes(trace.sealed)) != bytes(trace.sealed_digest):
            result.findings.append(_finding("content_altered", trace))
        trace.sealed = b""
        # After a gap the link before is unknown; only the place of the gap can be told.
        if not gap and chain.link(key, trace, previous=previous) != bytes(trace.chain):
            broken.append(_Broken(trace, previous))
        previous, expected = bytes(trace.chain), trace.sequence + 1
    result.findings += [Finding("removed", sequence) for sequence in range(expected, head.sequence + 1)]
    result.findings += _explain(key, broken)
    return previous


def _explain(key: bytes, broken: list[_Broken]) -> list[Finding]:
    """Whether a broken row would fit at another broken row's place: then it was moved from there, else altered.

    A row after a replaced link does not fit either; it is sound when it fits after the link that should stand there.
    """
    if len(broken) > MAX_BROKEN_TO_PLACE:
        return [_finding("altered", each.trace) for each in broken]
    links = {each.previous for each in broken} | {bytes(each.trace.chain) for each in broken}
    links |= {chain.link(key, each.trace, previous=each.previous) for each in broken}
    places = {each.trace.sequence + shift for each in broken for shift in (0, 1)}
    findings = []
    for each in broken:
        origin = _origin(key, each.trace, links, places)
        if origin is None:
            findings.append(_finding("altered", each.trace))
        elif origin != each.trace.sequence:
            findings.append(_finding("moved", each.trace, moved_from=origin))
    return findings or [_finding("altered", each.trace) for each in broken]


def _origin(key: bytes, trace: Trace, links: set[bytes], places: set[int]) -> int | None:
    for sequence in sorted(places, key=lambda place: place != trace.sequence):
        for previous in links:
            if chain.link(key, trace, previous=previous, sequence=sequence) == bytes(trace.chain):
                return sequence
    return None


def _check_head(key: bytes, head: ChainHead, end: bytes) -> list[Finding]:
    genuine = chain.head_mac(key, sequence=head.sequence, chain=bytes(head.chain)) == bytes(head.mac)
    return [] if genuine and end == bytes(head.chain) else [Finding("head_altered", head.sequence)]


def _finding(kind: str, trace: Trace, moved_from: int | None = None) -> Finding:
    return Finding(kind, trace.sequence, trace.id, trace.reply_id, moved_from)

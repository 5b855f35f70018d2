"""Walking a tenant's chain: which row was altered, removed, inserted or moved, and was every deletion receipted?

Needs the chain's key and no content key, so it also works after content was destroyed. A copy of the whole database
that is put back in place of the newer one passes; only a checkpoint kept elsewhere can show that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby, islice
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Unavailable
from tracing import links
from tracing.keys import existing_key
from tracing.models import ChainedModel, ChainHead, DeletionReceipt, KeyPurpose, Trace, TraceAccess
from tracing.receipts import Deletions
from tracing.walk import chained_rows, missing_sections, sections_altered

# Asking where a row came from tries all places of all broken rows.
MAX_BROKEN_TO_PLACE = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in row `row_id` of `table`, or at a sequence whose row is gone.

    `kind`: altered, content_altered, moved, removed, restored, inserted or head_altered.
    """

    kind: str
    sequence: int
    table: str = ""
    row_id: UUID | None = None
    reply_id: UUID | None = None
    moved_from: int | None = None


@dataclass(slots=True)
class Verification:
    """The result for one tenant. `unchained` counts log rows that are older than the chain's care for them."""

    rows: int = 0
    traces: int = 0
    deleted: int = 0
    unchained: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class _Broken:
    """A row whose link does not fit, with the link that stands before it."""

    row: ChainedModel
    previous: bytes


class VerificationTooLong(Unavailable):
    """The chain has more rows than can be checked while a caller waits."""

    code = "verification_too_long"
    message = _("The chain is too long to be checked while you wait. Run “manage.py verify_traces” on the server.")


def verify_chain(*, seconds: float = math.inf) -> Verification:
    """Check every chained row of the tenant in scope: that of `tenant_snapshot`, where answers may be stored meanwhile.

    Raises SealError without the chain's key, and VerificationTooLong when it is not done after so many seconds.
    """
    head = ChainHead.objects.first()
    result = Verification(unchained=TraceAccess.objects.filter(sequence__isnull=True).count())
    if head is None:
        result.findings = [_finding("inserted", row) for row in islice(chained_rows(), 100)]
        return result
    key = existing_key(KeyPurpose.CHAIN)
    walk = _Walk(key, head, result, Deletions.claimed(), give_up_at=time.monotonic() + seconds)
    walk.run()
    result.findings += _check_head(key, head, walk.previous)
    result.findings.sort(key=lambda finding: finding.sequence)
    return result


class _Walk:
    """One pass: each row is checked against the one before as it stands, so that one bad row condemns no other."""

    def __init__(
        self, key: bytes, head: ChainHead, result: Verification, deletions: Deletions, *, give_up_at: float
    ) -> None:
        self.key, self.head, self.result, self.deletions = key, head, result, deletions
        self.give_up_at = give_up_at
        self.previous, self.expected = links.GENESIS, 1
        self.broken: list[_Broken] = []
        self.is_previous_known = True

    def run(self) -> None:
        """Walk all rows, then the gap behind the last one; fills the result."""
        for sequence, rows in groupby(chained_rows(), key=lambda row: row.sequence):
            self._place(sequence, list(rows))
            if time.monotonic() > self.give_up_at:
                raise VerificationTooLong
        self._bridge(self.head.sequence + 1)
        altered = _explain(self.key, self.broken)
        false = {finding.row_id for finding in altered}
        self.result.findings += altered
        self.result.findings += [
            _finding(kind, row) if row else Finding(kind, sequence)
            for kind, sequence, row in self.deletions.unproven(false)
        ]

    def _place(self, sequence: int, rows: list[ChainedModel]) -> None:
        self.result.rows += len(rows)
        self.result.traces += sum(isinstance(row, Trace) for row in rows)
        if not 0 < sequence <= self.head.sequence:
            self.result.findings += [_finding("inserted", row) for row in rows]
            return
        self._bridge(sequence)
        if self.deletions.is_deleted(sequence):
            self.result.findings.append(_finding("restored", rows[0]))
        genuine = self._genuine(rows)
        self.result.findings += [_finding("inserted", row) for row in rows if row is not genuine]
        self._check(genuine)
        self.previous, self.expected, self.is_previous_known = bytes(genuine.chain), sequence + 1, True

    def _genuine(self, rows: list[ChainedModel]) -> ChainedModel:
        """Of several rows at one place the one that fits."""
        if len(rows) == 1:
            return rows[0]
        return next((row for row in rows if self._fits(row)), rows[0])

    def _fits(self, row: ChainedModel) -> bool:
        return links.link(self.key, row, previous=self.previous) == bytes(row.chain)

    def _check(self, row: ChainedModel) -> None:
        if sections_altered(row):
            self.result.findings.append(_finding("content_altered", row))
        for kinds in missing_sections(row):
            self.deletions.lean_on_section(row, kinds)
        # After an unexplained gap the link before is unknown; only the place of the gap can be told.
        if not self.is_previous_known:
            return
        if isinstance(row, DeletionReceipt):
            self.deletions.confirm(row)
        if not self._fits(row):
            self.broken.append(_Broken(row, self.previous))

    def _bridge(self, sequence: int) -> None:
        """Step over what is missing before `sequence`: by receipts where there are any."""
        while self.expected < sequence:
            run = self.deletions.removed_run(self.expected, before=sequence)
            if run is None:
                self.result.findings.append(Finding("removed", self.expected))
                self.expected, self.is_previous_known = self.expected + 1, False
                continue
            self.result.deleted += run.last - self.expected + 1
            # Only a whole run knows the link at its end.
            self.is_previous_known = run.is_whole
            self.previous, self.expected = run.link, run.last + 1


def _explain(key: bytes, broken: list[_Broken]) -> list[Finding]:
    """Whether a broken row would fit at another broken row's place: then it was moved from there, else altered.

    A row after a replaced link does not fit either; it is sound when it fits after the link that should stand there.
    """
    if len(broken) > MAX_BROKEN_TO_PLACE:
        return [_finding("altered", each.row) for each in broken]
    known = {each.previous for each in broken} | {bytes(each.row.chain) for each in broken}
    known |= {links.link(key, each.row, previous=each.previous) for each in broken}
    places = {each.row.sequence + shift for each in broken for shift in (0, 1)}
    findings = []
    for each in broken:
        origin = _origin(key, each.row, known, places)
        if origin is None:
            findings.append(_finding("altered", each.row))
        elif origin != each.row.sequence:
            findings.append(_finding("moved", each.row, moved_from=origin))
    return findings or [_finding("altered", each.row) for each in broken]


def _origin(key: bytes, row: ChainedModel, known: Iterable[bytes], places: set[int]) -> int | None:
    for sequence in sorted(places, key=lambda place: place != row.sequence):
        for previous in known:
            if links.link(key, row, previous=previous, sequence=sequence) == bytes(row.chain):
                return sequence
    return None


def _check_head(key: bytes, head: ChainHead, end: bytes) -> list[Finding]:
    genuine = links.head_mac(key, sequence=head.sequence, chain=bytes(head.chain)) == bytes(head.mac)
    return [] if genuine and end == bytes(head.chain) else [Finding("head_altered", head.sequence)]


def _finding(kind: str, row: ChainedModel, moved_from: int | None = None) -> Finding:
    reply_id = row.reply_id if isinstance(row, Trace) else None
    return Finding(kind, row.sequence, links.label(row), row.id, reply_id, moved_from)

"""Walking a tenant's chain: which row was altered, removed, inserted or moved, and was every deletion receipted?

Needs the chain's key and no content key, so it also works after content was destroyed. The end is compared with anchors
outside the database, and what stands beside the chain with its events.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, islice

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Unavailable
from helpdesk.tenants.scope import current_tenant_id
from tracing import links
from tracing.anchored import Anchored
from tracing.anchors import AnchorLog
from tracing.chain import is_head
from tracing.findings import Finding, Verification, finding_of
from tracing.keys import existing_key
from tracing.models import ChainedModel, ChainHead, DeletionReceipt, KeyPurpose, Trace, TraceAccess
from tracing.receipts import Deletions
from tracing.state import state_findings
from tracing.walk import chained_rows, missing_sections, sections_altered

# Asking where a row came from tries all places of all broken rows.
MAX_BROKEN_TO_PLACE = 12


@dataclass(frozen=True, slots=True)
class _Broken:
    """A row whose link does not fit, with the link that stands before it."""

    row: ChainedModel
    previous: bytes


class VerificationTooLong(Unavailable):
    """The chain has more rows than can be checked while a caller waits."""

    code = "verification_too_long"
    message = _("The chain is too long to check here. Run “manage.py verify_traces” on the server.")


def verify_chain(anchors: AnchorLog | None, *, seconds: float = math.inf) -> Verification:
    """Check every chained row of the tenant in scope: that of `tenant_snapshot`, where answers may be stored meanwhile.

    `anchors` were read before that snapshot began; None when there are none to compare with. Raises SealError without the
    chain's key, and VerificationTooLong when it is not done after so many seconds.
    """
    head: ChainHead | None = ChainHead.objects.first()
    anchored = Anchored(anchors, head, anchors.anchors.get(current_tenant_id(), []) if anchors else [])
    result = Verification(unchained=TraceAccess.objects.filter(sequence__isnull=True).count(), anchor=anchored.last)
    result.notes += anchored.notes
    if head is None:
        result.findings = [finding_of("inserted", row) for row in islice(chained_rows(), 100)]
    else:
        _walk(head, result, anchored, give_up_at=time.monotonic() + seconds)
    result.findings += anchored.findings()
    result.findings.sort(key=lambda finding: finding.sequence)
    return result


def _walk(head: ChainHead, result: Verification, anchored: Anchored, *, give_up_at: float) -> None:
    key = existing_key(KeyPurpose.CHAIN)
    walk = _Walk(key, head, result, Deletions.claimed(), anchored, give_up_at=give_up_at)
    walk.run()
    result.findings += _check_head(key, head, walk.previous)
    if is_head(key, head, label=links.HEAD_BEFORE_STATE):
        result.notes.append("what stands beside the chain is noted with its next row or anchor")
    else:
        result.findings += state_findings()


class _Walk:
    """One pass: each row is checked against the one before as it stands, so that one bad row condemns no other."""

    def __init__(
        self,
        key: bytes,
        head: ChainHead,
        result: Verification,
        deletions: Deletions,
        anchored: Anchored,
        *,
        give_up_at: float,
    ) -> None:
        self.key, self.head, self.result, self.deletions = key, head, result, deletions
        self.anchored, self.give_up_at = anchored, give_up_at
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
            finding_of(kind, row) if row else Finding(kind, sequence)
            for kind, sequence, row in self.deletions.unproven(false)
        ]

    def _place(self, sequence: int, rows: list[ChainedModel]) -> None:
        self.result.rows += len(rows)
        self.result.traces += sum(isinstance(row, Trace) for row in rows)
        if not 0 < sequence <= self.head.sequence:
            self.result.findings += [finding_of("inserted", row) for row in rows]
            return
        self._bridge(sequence)
        if self.deletions.is_deleted(sequence):
            self.result.findings.append(finding_of("restored", rows[0]))
        genuine = self._genuine(rows)
        self.result.findings += [finding_of("inserted", row) for row in rows if row is not genuine]
        self._check(genuine)
        self.anchored.passes(sequence, bytes(genuine.chain))
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
            self.result.findings.append(finding_of("content_altered", row))
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
        return [finding_of("altered", each.row) for each in broken]
    known = {each.previous for each in broken} | {bytes(each.row.chain) for each in broken}
    known |= {links.link(key, each.row, previous=each.previous) for each in broken}
    places = {each.row.sequence + shift for each in broken for shift in (0, 1)}
    findings = []
    for each in broken:
        origin = _origin(key, each.row, known, places)
        if origin is None:
            findings.append(finding_of("altered", each.row))
        elif origin != each.row.sequence:
            findings.append(finding_of("moved", each.row, moved_from=origin))
    return findings or [finding_of("altered", each.row) for each in broken]


def _origin(key: bytes, row: ChainedModel, known: Iterable[bytes], places: set[int]) -> int | None:
    for sequence in sorted(places, key=lambda place: place != row.sequence):
        for previous in known:
            if links.link(key, row, previous=previous, sequence=sequence) == bytes(row.chain):
                return sequence
    return None


def _check_head(key: bytes, head: ChainHead, end: bytes) -> list[Finding]:
    genuine = is_head(key, head) or is_head(key, head, label=links.HEAD_BEFORE_STATE)
    return [] if genuine and end == bytes(head.chain) else [Finding("head_altered", head.sequence)]

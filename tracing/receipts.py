"""What receipts say was deleted, for the walk over the chain: claimed first, believed only if the receipt is genuine."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tracing.models import ChainedModel, DeletionKind, DeletionReceipt

# Of what an unproven receipt claims, so many rows are named.
NAMED_ROWS = 100


@dataclass(frozen=True, slots=True)
class RemovedRun:
    """Rows up to `last` are gone by a receipt; `link` is the last one's, if the run was taken to its end."""

    last: int
    link: bytes
    is_whole: bool


@dataclass(frozen=True, slots=True, order=True)
class _Run:
    first: int
    last: int
    link: bytes
    receipt: UUID


@dataclass(slots=True)
class Deletions:
    """The runs that receipts claim, by class; and which of them the walk leaned on."""

    runs: dict[str, list[_Run]] = field(default_factory=lambda: defaultdict(list))
    genuine: set[UUID] = field(default_factory=set)
    _removed: set[_Run] = field(default_factory=set)
    _blanked: dict[tuple[UUID, ...], list[ChainedModel]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def claimed(cls) -> Deletions:
        """Every receipt's claim, read before the walk; nothing of it is believed yet."""
        deletions = cls()
        for receipt in DeletionReceipt.objects.order_by("sequence").iterator():
            deletions.runs[receipt.kind] += _claims(receipt)
        for runs in deletions.runs.values():
            runs.sort()
        return deletions

    def confirm(self, receipt: DeletionReceipt) -> None:
        """The walk knows the link before this receipt, so that an altered one shows."""
        self.genuine.add(receipt.id)

    def is_deleted(self, sequence: int) -> bool:
        """Whether a receipt claims that this row was removed."""
        return self._run(DeletionKind.METRICS, sequence) is not None

    def removed_run(self, sequence: int, *, before: int) -> RemovedRun | None:
        """The claim that explains a missing row, as far as the next row that is there."""
        run = self._run(DeletionKind.METRICS, sequence)
        if run is None:
            return None
        self._removed.add(run)
        last = min(run.last, before - 1)
        return RemovedRun(last, run.link, last == run.last and bool(run.link))

    def lean_on_section(self, row: ChainedModel, kinds: tuple[DeletionKind, ...]) -> None:
        """A section of this row is gone; remember which claims would explain it."""
        runs = [self._run(kind, row.sequence) for kind in kinds]
        rows = self._blanked[tuple(run.receipt for run in runs if run is not None)]
        if len(rows) < NAMED_ROWS:
            rows.append(row)

    def unproven(self, altered: set[UUID | None]) -> Iterator[tuple[str, int, ChainedModel | None]]:
        """What is gone though no genuine receipt covers it: kind of finding, sequence, and the row if it is there."""
        proven = {receipt for receipt in self.genuine if receipt not in altered}
        for run in sorted(self._removed):
            if run.receipt not in proven:
                yield "removed", run.first, None
        for receipts, rows in self._blanked.items():
            if not proven.intersection(receipts):
                yield from (("content_altered", row.sequence, row) for row in rows)

    def _run(self, kind: DeletionKind, sequence: int) -> _Run | None:
        runs = self.runs.get(kind, [])
        place = bisect_right(runs, sequence, key=lambda run: run.first)
        return runs[place - 1] if place and runs[place - 1].last >= sequence else None


def _claims(receipt: DeletionReceipt) -> Iterator[_Run]:
    """The receipt's runs; one that is malformed or lies behind the receipt claims nothing."""
    runs: Any = receipt.runs if isinstance(receipt.runs, list) else []
    for run in runs:
        try:
            first, last, link = run
            claim = _Run(int(first), int(last), bytes.fromhex(link), receipt.id)
        except (TypeError, ValueError):
            continue
        if 0 < claim.first <= claim.last < receipt.sequence:
            yield claim

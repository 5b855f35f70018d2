"""Comparing a tenant's chain with its anchors: what was there at an anchor is there still, and was not written anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from helpdesk.tenants.scope import current_tenant_id
from tracing.anchors import RESTORED, Anchor, AnchorLog, read_anchors
from tracing.findings import Finding, LastAnchor
from tracing.models import ChainHead, KeyEvent, KeyEventKind


class Anchored:
    """One tenant's anchors. The walk tells each link that it passes, and asks at the end."""

    def __init__(self, log: AnchorLog | None, head: ChainHead | None, anchors: list[Anchor]) -> None:
        self._log, self._head = log, head
        self.notes: list[str] = []
        self._turned_back: list[tuple[Anchor, Anchor]] = []
        self._current = self._in_force(anchors)
        self._wanted: dict[int, list[Anchor]] = defaultdict(list)
        for anchor in self._current:
            self._wanted[anchor.sequence].append(anchor)
        self._broken: list[Anchor] = []

    @property
    def last(self) -> LastAnchor | None:
        """The newest one."""
        return LastAnchor(self._current[-1].sequence, self._current[-1].at) if self._current else None

    def passes(self, sequence: int, link: bytes) -> None:
        """The chain has this link there."""
        self._broken += [anchor for anchor in self._wanted.get(sequence, ()) if anchor.chain != link.hex()]

    def findings(self) -> Iterator[Finding]:
        """What is missing or different since an anchor, and what is wrong with the anchors themselves."""
        if self._log is None:
            return
        yield from self._findings_of_file(self._log)
        end = self._head.sequence if self._head else 0
        gone = [anchor for anchor in self._current if anchor.sequence > end]
        if gone:
            last = max(gone, key=lambda anchor: anchor.sequence)
            count = last.sequence - end
            detail = f"{count} rows that were there on {_day(last)} are gone"
            yield Finding("cut", end + 1, last=last.sequence, detail=detail)
        if self._broken:
            places = sorted(anchor.sequence for anchor in self._broken)
            detail = f"the chain had another link there on {_day(self._broken[0])}"
            yield Finding("rewritten", places[0], last=places[-1], detail=detail)
        for before, after in self._turned_back:
            detail = f"it had reached #{before.sequence} on {_day(before)} and stood here on {_day(after)}"
            yield Finding("turned_back", after.sequence, detail=detail)
        yield from self._findings_of_notes()

    def _in_force(self, anchors: list[Anchor]) -> list[Anchor]:
        """Those that hold since the chain was put back by an operator for the last time."""
        current: list[Anchor] = []
        highest: Anchor | None = None
        for anchor in anchors:
            if anchor.kind == RESTORED:
                current = [each for each in current if each.sequence < anchor.sequence]
                reached = f" from #{highest.sequence}" if highest else ""
                self.notes.append(f"an operator put the chain back{reached} to #{anchor.sequence} on {_day(anchor)}")
                self._turned_back, highest = [], anchor
            elif highest and anchor.sequence < highest.sequence:
                self._turned_back.append((highest, anchor))
            else:
                highest = anchor
            current.append(anchor)
        return current

    def _findings_of_file(self, log: AnchorLog) -> Iterator[Finding]:
        for kind, detail in log.trouble:
            yield Finding(kind, detail=detail)
        line = self._head.anchor_line if self._head else 0
        if not line or log.trouble:
            return
        if not log.is_there:
            yield Finding("anchors_missing", detail="the file is gone")
        # Anchors may have been written since the file was read.
        elif self._is_short(log) and self._is_short(read_anchors()):
            known = f"line {line} with #{self._head.anchored if self._head else 0}"
            yield Finding("anchors_cut", detail=f"it has {log.lines} lines, the database knows of {known}")

    def _is_short(self, log: AnchorLog | None) -> bool:
        """Whether the database knows of a later line, or claims an anchor that the file does not have."""
        if log is None or self._head is None:
            return True
        own = log.anchors.get(current_tenant_id(), [])
        return log.lines < self._head.anchor_line or not own or own[-1].sequence < (self._head.anchored or 0)

    def _findings_of_notes(self) -> Iterator[Finding]:
        """The state beside a chain is noted once, before its first anchor; later it would only hide a change."""
        noted = list(KeyEvent.objects.filter(kind=KeyEventKind.STATE_NOTED).order_by("sequence"))
        first = min((anchor.sequence for anchor in self._current), default=None)
        for number, event in enumerate(noted):
            if number or (first is not None and event.sequence > first):
                yield Finding("state_noted_again", event.sequence, "keyevent", event.id)


def _day(anchor: Anchor) -> str:
    return f"{anchor.at:%Y-%m-%d %H:%M} UTC"

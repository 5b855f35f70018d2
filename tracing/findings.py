"""What a check of a tenant's chain found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tracing import links
from tracing.models import ChainedModel, Trace


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in row `row_id` of `table`, or at a sequence whose row is gone; 0 is no place in the chain.

    `kind`: altered, content_altered, moved, removed, restored, inserted or head_altered; of anchors (`tracing.anchored`) cut,
    rewritten, turned_back, anchors_missing, anchors_altered or anchors_cut; of what stands beside the chain (`tracing.state`)
    key_destroyed, key_restored, key_altered, key_missing, hold_altered, policy_altered, api_key_inserted, api_key_altered,
    api_key_removed or state_noted_again. `last` ends a range that begins with `sequence`; `detail` says more, in
    words of ours.
    """

    kind: str
    sequence: int = 0
    table: str = ""
    row_id: UUID | None = None
    reply_id: UUID | None = None
    moved_from: int | None = None
    last: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LastAnchor:
    """The newest anchor that the chain was compared with."""

    sequence: int
    at: datetime


@dataclass(slots=True)
class Verification:
    """The result for one tenant. `unchained` counts log rows that are older than the chain's care for them.

    `anchor` is None when nothing was compared with anchors; `notes` say what somebody declared, such as a restored backup.
    """

    rows: int = 0
    traces: int = 0
    deleted: int = 0
    unchained: int = 0
    anchor: LastAnchor | None = None
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.findings


def finding_of(kind: str, row: ChainedModel, moved_from: int | None = None) -> Finding:
    """What is wrong with a row of the chain."""
    reply_id = row.reply_id if isinstance(row, Trace) else None
    return Finding(kind, row.sequence, links.label(row), row.id, reply_id, moved_from)

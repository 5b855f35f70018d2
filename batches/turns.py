"""Whose item is next: the tenant with the fewest in work, among equals the one that waited longest. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one open batch stands: items that may begin, items in work, and when one last began."""

    tenant_id: UUID
    batch_id: UUID
    waiting: int
    running: int
    fed_at: datetime | None = None


def share_slots(standings: Sequence[Standing], *, slots: int) -> dict[UUID, int]:
    """How many items of each batch begin now, by batch. First tenants take turns, then the batches of each."""
    waiting = {each.batch_id: each.waiting for each in standings}
    # By tenant and by batch: how many are in work, and when one last began (in this round, or before).
    work: Counter[UUID] = Counter()
    last: dict[UUID, tuple[int, datetime]] = {}
    for each in standings:
        for key in (each.tenant_id, each.batch_id):
            work[key] += each.running
            last[key] = max(last.get(key, (0, LONG_AGO)), (0, each.fed_at or LONG_AGO))
    shares: Counter[UUID] = Counter()
    for turn in range(1, slots + 1):
        open_ones = [each for each in standings if waiting[each.batch_id]]
        if not open_ones:
            break
        chosen = min(open_ones, key=lambda each: _rank(each, work, last))
        waiting[chosen.batch_id] -= 1
        shares[chosen.batch_id] += 1
        for key in (chosen.tenant_id, chosen.batch_id):
            work[key] += 1
            last[key] = (turn, LONG_AGO)
    return dict(shares)


def _rank(
    each: Standing, work: Counter[UUID], last: dict[UUID, tuple[int, datetime]]
) -> tuple[int, tuple[int, datetime], int, tuple[int, datetime], UUID]:
    """The lowest one is served next."""
    tenant, batch = each.tenant_id, each.batch_id
    return work[tenant], last[tenant], work[batch], last[batch], batch

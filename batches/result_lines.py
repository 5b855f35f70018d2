"""The results of a batch as JSON lines, for files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import cast
from uuid import UUID

from batches.models import Batch, BatchItem
from batches.queries import ended_items, items_by_position
from batches.shapes import result_shapes
from helpdesk.tenants.scope import tenant_atomic

AT_ONCE = 200
FINISHED, POSITION = "finished", "position"


def found(batch: Batch, order: str, *, after: int, limit: int) -> list[BatchItem]:
    """Items that have ended, in either order, behind a place in it."""
    return (ended_items if order == FINISHED else items_by_position)(batch, after=after, limit=limit)


def place(item: BatchItem, order: str) -> int:
    """Where the item stands in the order."""
    return cast(int, item.finish_number if order == FINISHED else item.position)


def result_lines(tenant_id: UUID, batch: Batch, order: str, *, after: int = 0) -> Iterator[bytes]:
    """Read in portions, each in a short transaction: a slow receiver blocks nobody."""
    while True:
        with tenant_atomic(tenant_id):
            items = found(batch, order, after=after, limit=AT_ONCE)
            results = [shape.as_json() for shape in result_shapes(items)]
        for result in results:
            yield json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"
        if len(items) < AT_ONCE:
            return
        after = place(items[-1], order)

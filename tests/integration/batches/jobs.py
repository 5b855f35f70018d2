"""Submissions for tests."""

from __future__ import annotations

import json
from typing import Any

from batches.domain import submit_batch
from batches.lines import read_json
from batches.models import Batch, BatchItem
from batches.queries import Progress, progress_of
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic

QUESTION = "How many working days does express delivery take?"


def submit(tenant: Tenant, *items: dict[str, Any], count: int = 0, **members: Any) -> Batch:
    """A batch of the given items, or of `count` questions named q1, q2, …"""
    given = list(items) or [{"custom_id": f"q{number}", "question": QUESTION} for number in range(1, count + 1)]
    body = json.dumps({"items": given, **members}).encode()
    return submit_batch(tenant_id=tenant.id, submission=read_json(body))


def items(batch: Batch) -> list[BatchItem]:
    """The batch's items as they are now."""
    with tenant_atomic(batch.tenant_id):
        return list(batch.items.select_related("reply__answer", "reply__question").order_by("position"))


def states(batch: Batch) -> list[str]:
    """The state of each item."""
    return [item.state for item in items(batch)]


def current(batch: Batch) -> Batch:
    """The batch as it is now."""
    with tenant_atomic(batch.tenant_id):
        found: Batch = Batch.objects.get(id=batch.id)
        return found


def progress(batch: Batch) -> Progress:
    """Its counts."""
    with tenant_atomic(batch.tenant_id):
        return progress_of([batch])[batch.id]

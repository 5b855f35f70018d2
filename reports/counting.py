"""Counting what happened in a stretch of time, for every selection at once. Runs inside `tenant_atomic`."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from conversations.channels import COUNTED
from helpdesk.tenants.scope import current_tenant_id
from reports.days import QUIET, SETTLED
from reports.names import GROWTH, LAST_BUCKET, Figures
from reports.statements import COUNT


@dataclass(frozen=True, slots=True)
class Selection:
    """Which conversations: of one channel, language and label, or of all where it says nothing."""

    channel: str = ""
    language: str = ""
    label: UUID | None = None


def count(since: datetime, until: datetime, where: ZoneInfo) -> dict[Selection, Figures]:
    """The figures of what happened from `since` to before `until`, in one statement."""
    known: dict[str, Any] = {
        "tenant": current_tenant_id(), "since": since, "until": until, "now": timezone.now(), "zone": where.key,
        "quiet": QUIET, "settled": SETTLED, "channels": list(COUNTED),
        "growth": GROWTH, "last_bucket": LAST_BUCKET,
    }  # fmt: skip
    found: dict[Selection, Figures] = defaultdict(Counter)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, known)
        for label, channel, language, name, number in cursor.fetchall():
            found[Selection(channel, language, label)][name] = number
    return found

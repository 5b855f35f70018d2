"""Adding up days. Each has a transaction of its own; a day that is added up twice, or by two at once, comes out the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.utils import timezone

from conversations.models import Label
from helpdesk.tenants.scope import tenant_atomic
from reports.counting import count
from reports.days import (
    ONE_DAY,
    beginning,
    day_of,
    days_due,
    due_again,
    first_day,
    first_kept_day,
    zone,
)
from reports.models import DayFigures, ReportDay

logger = structlog.get_logger(__name__)


def add_up_due(tenant_id: UUID) -> int:
    """Add up what is due; returns how many days those were."""
    with tenant_atomic(tenant_id):
        due = days_due(zone(), timezone.now())
    for day in due:
        add_up(tenant_id, day)
    if due:
        logger.info("report_days_added_up", tenant_id=str(tenant_id), days=len(due))
    return len(due)


def rebuild(tenant_id: UUID) -> Iterator[tuple[date, int]]:
    """Add up every day anew; each comes with how many there are. What was deleted meanwhile does not count any more."""
    with tenant_atomic(tenant_id):
        where = zone()
        first, today = first_day(where), day_of(timezone.now(), where)
    days = [] if first is None else [first + ONE_DAY * n for n in range((today - first).days)]
    for day in days:
        add_up(tenant_id, day)
        yield day, len(days)


def add_up(tenant_id: UUID, day: date) -> None:
    """Write down the figures of a day that is over.

    A day before the oldest message that is kept stays as it is: what it was counted from is gone.
    """
    with tenant_atomic(tenant_id):
        where = zone()
        # Held while it is counted: who comes second counts again, and finds the same.
        row, is_new = ReportDay.objects.get_or_create(day=day)
        ReportDay.objects.select_for_update(no_key=True).get(id=row.id)
        kept = first_kept_day(where)
        now = timezone.now()
        if is_new or (kept is not None and day >= kept):
            _write(day, where)
        ReportDay.objects.filter(id=row.id).update(added_up_at=now, due_at=due_again(day, where, now))


def _write(day: date, where: ZoneInfo) -> None:
    counted = count(beginning(day, where), beginning(day + ONE_DAY, where), where)
    labels = set(Label.objects.values_list("id", flat=True))
    DayFigures.objects.filter(day=day).delete()
    DayFigures.objects.bulk_create(
        DayFigures(
            day=day, channel=of.channel, language=of.language, label_id=of.label, figures=dict(sorted(figures.items()))
        )
        for of, figures in counted.items()
        if of.label is None or of.label in labels
    )

"""Changing where the company's days begin."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from helpdesk.errors import InvalidInput
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from reports.days import first_kept_day
from reports.models import DayFigures, ReportDay, ReportSettings


@needs(Right.MANAGE_REPORTS)
def change_time_zone(*, tenant_id: UUID, name: str) -> bool:
    """From now on days end at that zone's midnight; what can be counted anew is. False when it is so already."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidInput(parameter="time_zone") from None
    with tenant_atomic(tenant_id):
        settings: ReportSettings = ReportSettings.objects.select_for_update().get_or_create()[0]
        if settings.time_zone == name:
            return False
        kept = [first_kept_day(ZoneInfo(each)) for each in (settings.time_zone, name)]
        settings.time_zone = name
        settings.save(update_fields=["time_zone"])
        for day in filter(None, kept):
            for rows in (DayFigures, ReportDay):
                rows.objects.filter(day__gte=day).delete()
        note(Kind.REPORTS)
        return True

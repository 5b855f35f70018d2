"""Moments and days in people's words: how long ago within a day, else the date. The widget says them alike."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

MINUTE, HOUR, DAY = 60, 3600, 86_400


def moment_words(at: datetime, now: datetime, *, with_time: bool = False) -> str:
    """How long ago it was; a day and longer ago the date, `with_time` with the time of day."""
    seconds = max(0, int((now - at).total_seconds()))
    if seconds < MINUTE:
        return _("just now")
    if seconds < HOUR:
        return _("%(count)d min ago") % {"count": seconds // MINUTE}
    if seconds < DAY:
        return _("%(count)d h ago") % {"count": seconds // HOUR}
    return date_format(timezone.localtime(at), "DATETIME_FORMAT" if with_time else "DATE_FORMAT")


def full_words(at: datetime) -> str:
    """The date with the time of day, in the reader's time zone."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def day_words(day: date, today: date) -> str:
    """Today, yesterday or the date."""
    if day == today:
        return _("Today")
    return _("Yesterday") if day == today - timedelta(days=1) else date_format(day, "DATE_FORMAT")

"""Figures in people's words."""

from __future__ import annotations

from django.utils.formats import localize, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MINUTE, HOUR, DAY = 60, 3600, 86_400
NOTHING = "–"


def number(value: float) -> str:
    """A whole number with its digits in groups."""
    return str(number_format(round(value), force_grouping=True))


def share(value: float) -> str:
    """A part of all, in per cent."""
    percent = value * 100
    return f"{localize(round(percent, 1) if 0 < percent < 10 else round(percent))} %"


def duration(seconds: float) -> str:
    """In the largest two units that say something."""
    if seconds < MINUTE:
        return _("%(number)s s") % {"number": localize(round(seconds, 1) if seconds < 10 else round(seconds))}
    if seconds < HOUR:
        return _two(seconds, MINUTE, _("%(number)d min"), 1, _("%(number)d s"))
    if seconds < DAY:
        return _two(seconds, HOUR, _("%(number)d h"), MINUTE, _("%(number)d min"))
    days = int(seconds // DAY)
    first = ngettext("%(number)d day", "%(number)d days", days) % {"number": days}
    hours = int(seconds % DAY // HOUR)
    return f"{first} {_('%(number)d h') % {'number': hours}}" if hours else first


def _two(seconds: float, large: int, large_words: str, small: int, small_words: str) -> str:
    first, second = int(seconds // large), int(seconds % large // small)
    words = large_words % {"number": first}
    return f"{words} {small_words % {'number': second}}" if second and first < 10 else words

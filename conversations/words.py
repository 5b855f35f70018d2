"""Codes and numbers as words for the people at the desk."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _


def visitor_name(visitor_id: UUID) -> str:
    """How an anonymous visitor is called: the same four characters every time."""
    return _("Visitor %(code)s") % {"code": visitor_id.hex[:4].upper()}


def waiting_words(since: datetime, now: datetime) -> str:
    """That somebody waits, and how long already, in one number and one unit."""
    seconds = max(0, int((now - since).total_seconds()))
    if seconds < 60:
        return _("Waiting <1 min")
    if seconds < 3600:
        return _("Waiting %(count)d min") % {"count": seconds // 60}
    if seconds < 86_400:
        return _("Waiting %(count)d h") % {"count": seconds // 3600}
    return _("Waiting %(count)d d") % {"count": seconds // 86_400}


def system_words(code: str) -> str:
    """A system entry's sentence; an unknown code is shown as it is."""
    return {"person_requested": _("The customer asked for a person.")}.get(code, code)

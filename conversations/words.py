"""Codes and numbers as words for the people at the desk."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# An event's code goes on with the score.
RATED = "rated_"


def visitor_name(visitor_id: UUID) -> str:
    """How an anonymous visitor is called: the same four characters every time."""
    return _("Visitor %(code)s") % {"code": visitor_id.hex[:4].upper()}


def waiting_words(since: datetime, now: datetime, *, is_unclaimed: bool = False) -> str:
    """That somebody waits, and how long already, in one number and one unit; and whether that is an alarm."""
    words = _waiting(since, now)
    return _("Unclaimed · %(waiting)s") % {"waiting": words} if is_unclaimed else words


def _waiting(since: datetime, now: datetime) -> str:
    seconds = max(0, int((now - since).total_seconds()))
    if seconds < 60:
        return _("Waiting <1 min")
    if seconds < 3600:
        return _("Waiting %(count)d min") % {"count": seconds // 60}
    if seconds < 86_400:
        return _("Waiting %(count)d h") % {"count": seconds // 3600}
    return _("Waiting %(count)d d") % {"count": seconds // 86_400}


_EVENTS: dict[str, str | Promise] = {
    "person_requested": gettext_lazy("The customer asked for a person."),
    "hand_off_refused": gettext_lazy("Handed over: the articles have no answer."),
    "hand_off_low_confidence": gettext_lazy("Handed over: the AI was not sure of its answer."),
    "hand_off_repeated": gettext_lazy("Handed over: the customer asked the same thing again."),
    "hand_off_complaint": gettext_lazy("Handed over: the customer is upset."),
    "hand_off_thumbs_down": gettext_lazy("Handed over: the customer said the answer did not help."),
    "hand_off_failed": gettext_lazy("Handed over: the AI could not answer."),
    "hand_off_late": gettext_lazy("Handed over: the AI did not answer in time."),
    "wait_cancelled": gettext_lazy("The customer went back to the AI."),
    "email_left": gettext_lazy("The customer left an e-mail address."),
    "closed": gettext_lazy("The customer ended the conversation."),
    "transcript_sent": gettext_lazy("The customer had the conversation sent by e-mail."),
    "solved": gettext_lazy("The customer said it is solved."),
}
_EVENTS_BY: dict[str, str | Promise] = {
    "taken": gettext_lazy("%(name)s took this conversation."),
    "handed_back": gettext_lazy("%(name)s handed it back to the AI."),
    "closed": gettext_lazy("%(name)s closed the conversation."),
    "reopened": gettext_lazy("%(name)s reopened the conversation."),
}


def system_words(code: str, name: str = "") -> str:
    """A system entry's sentence, about the person of that name if there is one; an unknown code is shown as it is."""
    if code.startswith(RATED):
        return _("The customer rated this conversation %(score)s out of 5.") % {"score": code.removeprefix(RATED)}
    if code in _EVENTS_BY and (name or code not in _EVENTS):
        return str(_EVENTS_BY[code]) % {"name": name or _("A person")}
    return str(_EVENTS.get(code, code))

"""Codes and numbers as words, for the people at the desk and for customers."""

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


def failure_words(code: str) -> str:
    """Why the assistant gave no answer."""
    return {
        "superseded": _("The AI stopped: a person took over."),
        "stopped": _("The AI was stopped before it had written anything."),
        "deadline": _("The AI gave no answer in time."),
        "context_length": _("The question and what came with it are longer than the model can read."),
        "refused_request": _("The model cannot answer in the form that was asked for."),
        "model_unavailable": _("No worker serves the model that this assistant uses."),
        "worker_lost": _("The AI was interrupted twice and gave up."),
    }.get(code, _("The AI could not answer because of a technical fault."))


def failure_sentence(code: str) -> str:
    """What the customer reads when no answer will come."""
    return {
        "superseded": _("A person has taken over."),
        "stopped": _("Stopped."),
        "deadline": _("The answer took too long. Ask again, or talk to a person."),
        "model_unavailable": _("The assistant is not available right now. Talk to a person, or try again later."),
    }.get(code, _("Something went wrong while writing the answer. Ask again, or talk to a person."))

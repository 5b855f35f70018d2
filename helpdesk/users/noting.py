"""Where it is noted what changed about a company's people: what cannot be noted does not happen.

The record lies in a package above this one, which says at its start where notes go.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db.models import TextChoices

from helpdesk.users.models import User


class PeopleChange(TextChoices):
    """What changed. The values stand in the chain: at most 16 characters, never to be renamed."""

    INVITED = "person_invited", "person invited"
    INVITATION_ENDED = "invitation_ended", "invitation ended"
    JOINED = "person_joined", "person joined"
    ROLE_CHANGED = "role_changed", "role changed"
    REMOVED = "person_removed", "person removed"
    SECOND_STEP_REQUIRED = "mfa_required", "two-step sign-in required"
    SECOND_STEP_OPTIONAL = "mfa_optional", "two-step sign-in optional"
    SIGN_IN_STOPPED = "sign_in_stopped", "attempts to sign in stopped"
    SIGN_IN_UNLOCKED = "sign_in_unlocked", "sign-in unlocked"


class Notes(Protocol):
    """Writes into the record, in the transaction of the change and inside its tenant's scope."""

    def changed(self, change: PeopleChange, *, subject: UUID, user: User | None, **figures: int | str) -> None:
        """`subject` is the membership, the invitation or the company; `figures` hold ids and codes, nobody's words."""


_kept_by: list[Notes] = []


def keep_notes(notes: Notes) -> None:
    """All notes go there from now on."""
    _kept_by[:] = [notes]


def notes() -> Notes:
    """Where notes go; without such a place nobody's membership changes."""
    if not _kept_by:
        raise ImproperlyConfigured("Nothing keeps notes of people: install the app “tracing”.")
    return _kept_by[0]

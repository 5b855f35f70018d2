"""Where it is noted that a key was made or revoked: what cannot be noted does not happen.

The record lies in a package above this one, which says at its start where notes go.
"""

from __future__ import annotations

from typing import Protocol

from django.core.exceptions import ImproperlyConfigured

from helpdesk.api_keys.models import ApiKey
from helpdesk.users.models import User


class Notes(Protocol):
    """Writes into the record, in the transaction that changes the key and inside its tenant's scope."""

    def created(self, key: ApiKey, *, user: User | None) -> None:
        """Before the key is stored."""

    def revoked(self, key: ApiKey, *, user: User | None) -> None:
        """After it was revoked."""


_kept_by: list[Notes] = []


def keep_notes(notes: Notes) -> None:
    """All notes go there from now on."""
    _kept_by[:] = [notes]


def notes() -> Notes:
    """Where notes go; without such a place no key may change."""
    if not _kept_by:
        raise ImproperlyConfigured("Nothing keeps notes of API keys: install the app “tracing”.")
    return _kept_by[0]

"""Notes of API keys inside the chain: who made or revoked which, and what it may do. Runs inside `tenant_atomic`."""

from __future__ import annotations

from typing import Any

from helpdesk.api_keys.models import ApiKey
from helpdesk.crypto import SealError
from helpdesk.users.models import User
from tracing.chain import append_to_chain
from tracing.models import KeyEvent, KeyEventKind
from tracing.retention_changes import ChangeNotLogged
from tracing.state import api_key_digest


class ChainedNotes:
    """Fulfils `helpdesk.api_keys.noting.Notes`; raises ChangeNotLogged while the chain's key is away."""

    def created(self, key: ApiKey, *, user: User | None) -> None:
        """With its scopes, and a digest of everything that it may not lose."""
        _note(KeyEventKind.API_KEY_CREATED, key, user, digest=api_key_digest(key), scopes=list(key.scopes))

    def revoked(self, key: ApiKey, *, user: User | None) -> None:
        """That it ended."""
        _note(KeyEventKind.API_KEY_REVOKED, key, user)


def _note(kind: KeyEventKind, key: ApiKey, user: User | None, **figures: Any) -> None:
    event = KeyEvent(kind=kind, subject=key.id, figures={"user": user.pk if user else None, **figures})
    try:
        append_to_chain(event)
    except SealError:
        raise ChangeNotLogged from None

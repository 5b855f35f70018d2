"""A secret that one page shows this once: between the form that makes it and that page it waits in the person's session, sealed.

The session's row then holds nothing that opens anything, and reloading the page neither makes nor shows it again.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from helpdesk import crypto

SHOWN_WITHIN = timedelta(minutes=5)


def keep(session: SessionBase, entry: str, text: str, *, place: bytes) -> None:
    """Keep the text under this name; `place` says whose it is, and nothing else opens it."""
    sealed = crypto.seal(_sealing_key(entry), text.encode(), place)
    session[entry] = {"at": timezone.now().isoformat(), "sealed": b64encode(sealed).decode()}


def take(session: SessionBase, entry: str, *, place: bytes) -> str | None:
    """The text, if it was kept for this place just now; whatever was kept is gone from the session afterwards."""
    kept: dict[str, Any] | None = session.pop(entry, None)
    if kept is None or timezone.now() - datetime.fromisoformat(kept["at"]) > SHOWN_WITHIN:
        return None
    try:
        return crypto.unseal(_sealing_key(entry), b64decode(kept["sealed"]), place).decode()
    except crypto.SealError:
        return None


def _sealing_key(entry: str) -> bytes:
    return crypto.derive(settings.SECRET_KEY.encode(), f"shown-once/{entry}")

"""Whether the session that opened something long-lived still stands: a socket asks again while it is open."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from helpdesk.errors import NotSignedIn
from helpdesk.users.models import User

# In the session: the only company that it is for, where the company's own provider vouched for the person.
COMPANY_ENTRY = "company"


def company_of(session: SessionBase) -> UUID | None:
    """The only company that the session is for; None for one that was begun with the account's own password."""
    entry = session.get(COMPANY_ENTRY)
    return UUID(entry) if entry else None


def user_of_session(session_key: str | None) -> User:
    """Who is signed in with that session now, read anew. Raises NotSignedIn when it was ended, by signing out or by a new
    password, and for an account that is switched off."""
    request = HttpRequest()
    request.session = _store(session_key)
    found: Any = get_user(request) if SESSION_KEY in request.session else None
    if found is None or not found.is_authenticated:
        raise NotSignedIn
    user: User = found
    user.only_in = company_of(request.session)
    return user


def end_session(session_key: str) -> None:
    """From the next request on nobody is signed in with it."""
    _store(session_key).delete()


def _store(session_key: str | None) -> SessionBase:
    return cast(SessionBase, import_module(settings.SESSION_ENGINE).SessionStore(session_key))

"""The sessions that a person has begun: noted when they sign in, seen while they are used, ended one by one."""

from __future__ import annotations

from threading import Lock
from uuid import UUID

from cachetools import TTLCache
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from helpdesk.errors import NotFound, NotSignedIn
from helpdesk.users.access_news import announce_access
from helpdesk.users.browsers import browser_name
from helpdesk.users.models import Membership, SignIn, User
from helpdesk.users.sessions import end_session, user_of_session

# In the session: its row here. A session that was begun otherwise has none.
SESSION_ENTRY = "sign_in"
SEEN_SECONDS = 300

# Of this process: whom it has noted in the last minutes.
_noted: TTLCache[tuple[str, UUID], bool] = TTLCache(maxsize=20_000, ttl=SEEN_SECONDS)
_lock = Lock()


def note_sign_in(request: HttpRequest, user: User) -> None:
    """The session of this request is the person's from now on. Rows of sessions that have ended meanwhile go."""
    for row in SignIn.objects.filter(user=user):
        if not _stands(row):
            row.delete()
    if request.session.session_key is None:
        request.session.save()
    row = SignIn.objects.create(
        user=user,
        session_key=str(request.session.session_key),
        browser=browser_name(request.headers.get("User-Agent", "")),
    )
    request.session[SESSION_ENTRY] = str(row.id)


def note_seen(request: HttpRequest, membership: Membership) -> None:
    """That the person is here, in the company in scope; written once in five minutes, so that reading stays reading."""
    sign_in = request.session.get(SESSION_ENTRY)
    if sign_in is None or _was_noted(sign_in, membership.id):
        return
    now = timezone.now()
    Membership.objects.filter(id=membership.id).update(seen_at=now)
    _keep(request, seen_at=now)


def sign_in_of(request: HttpRequest) -> UUID | None:
    """The row of this request's session."""
    entry = request.session.get(SESSION_ENTRY)
    return UUID(entry) if entry else None


def sign_ins_of(request: HttpRequest, user: User) -> list[SignIn]:
    """The person's sessions that still stand, the one seen last first."""
    _keep(request, seen_at=timezone.now())
    return [row for row in SignIn.objects.filter(user=user).order_by("-seen_at", "id") if _stands(row)]


def end_sign_in(user: User, sign_in_id: UUID) -> None:
    """End one of the person's sessions, with its open sockets. Raises NotFound, also for anybody else's."""
    row = SignIn.objects.filter(user=user, id=sign_in_id).first()
    if row is None:
        raise NotFound
    _end([row])


def end_other_sign_ins(request: HttpRequest, user: User) -> int:
    """End all of the person's sessions but this one; how many."""
    rows = list(SignIn.objects.filter(user=user).exclude(session_key=request.session.session_key))
    standing = sum(_stands(row) for row in rows)
    _end(rows)
    return standing


def _end(rows: list[SignIn]) -> None:
    with transaction.atomic():
        for row in rows:
            end_session(row.session_key)
            row.delete()
    for user_id in {row.user_id for row in rows}:
        announce_access(user_id)


def _keep(request: HttpRequest, **seen: object) -> None:
    """A session gets another key with a new password."""
    key = request.session.session_key
    if SESSION_ENTRY in request.session and key is not None:
        SignIn.objects.filter(id=request.session[SESSION_ENTRY]).update(session_key=key, **seen)


def _was_noted(sign_in: str, membership_id: UUID) -> bool:
    """Whether it was noted lately; it counts as noted from now on."""
    with _lock:
        if (sign_in, membership_id) in _noted:
            return True
        _noted[sign_in, membership_id] = True
    return False


def _stands(row: SignIn) -> bool:
    try:
        return user_of_session(row.session_key).pk == row.user_id
    except NotSignedIn:
        return False

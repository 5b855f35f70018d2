"""The audit log's rows in people's words, with the names that belong to the ids in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.utils.translation import gettext as _

from helpdesk.api_keys.models import ApiKey
from helpdesk.users.models import Invitation, User
from helpdesk.users.noting import PeopleChange
from helpdesk.users.roles import role_name
from tracing.audit import AuditKind, kind_of
from tracing.models import (
    ChainedModel,
    ChangeKind,
    DeletionReceipt,
    KeyEvent,
    KeyEventKind,
    RetentionChange,
    Trace,
    TraceAccess,
)
from tracing.words import count as count_words
from tracing.words import policy_words


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line of the log. `actor` is who did it; `reply_id` is that of the report which was opened, while there is one."""

    sequence: int
    at: datetime
    kind: AuditKind
    actor: str
    what: str
    detail: str
    reply_id: UUID | None = None


def audit_rows(rows: Sequence[ChainedModel]) -> list[AuditRow]:
    """The rows in words; names are read for all of them at once, in the tenant's scope."""
    names = _Names.of(rows)
    return [_row(row, names) for row in rows]


@dataclass(frozen=True, slots=True)
class _Names:
    users: dict[int, User]
    keys: dict[UUID, ApiKey]
    invitations: dict[UUID, Invitation]
    replies: dict[UUID, UUID]

    @classmethod
    def of(cls, rows: Iterable[ChainedModel]) -> _Names:
        users: set[int] = set()
        keys: set[UUID] = set()
        invitations: set[UUID] = set()
        traces: set[UUID] = set()
        for row in rows:
            match row:
                case KeyEvent():
                    users |= {row.figures[name] for name in ("user", "person") if row.figures.get(name)}
                    if row.subject and kind_of(row) == AuditKind.API_KEYS:
                        keys.add(row.subject)
                    if row.subject and row.kind in (PeopleChange.INVITED, PeopleChange.INVITATION_ENDED):
                        invitations.add(row.subject)
                case TraceAccess():
                    traces.add(row.trace_id)
                    users |= {row.user_id} if row.user_id else set()
                    keys |= {row.api_key_id} if row.api_key_id else set()
                case RetentionChange():
                    users |= {row.user_id} if row.user_id else set()
        found = Invitation.objects.select_related("accepted_by").in_bulk(invitations) if invitations else {}
        opened: dict[UUID, UUID] = {}
        if traces:
            opened = dict(Trace.objects.filter(id__in=traces).values_list("id", "reply_id"))
        return cls(
            User.objects.in_bulk(users) if users else {},
            ApiKey.objects.in_bulk(keys) if keys else {},
            found,
            opened,
        )

    def person(self, user_id: int | None) -> str:
        if user_id is None:
            return _("The server's command line")
        return str(self.users.get(user_id) or _("A person who was removed"))

    def key(self, key_id: UUID | None) -> str:
        key = self.keys.get(key_id) if key_id else None
        return _("API key “%(name)s”") % {"name": key.name} if key else _("An API key that was removed")


def _row(row: ChainedModel, names: _Names) -> AuditRow:
    sequence, at = cast(Any, row).sequence, cast(Any, row).at
    kind = kind_of(row)
    match row:
        case TraceAccess():
            actor = names.key(row.api_key_id) if row.api_key_id else names.person(row.user_id)
            what = _("Opened a report") if row.opened else _("Tried to open a report")
            return AuditRow(sequence, at, kind, actor, what, row.reason, names.replies.get(row.trace_id))
        case RetentionChange():
            detail = policy_words(row.policy) if row.kind == ChangeKind.POLICY_SET else row.reason
            return AuditRow(row.sequence, at, kind, names.person(row.user_id), row.get_kind_display(), detail)
        case DeletionReceipt():
            detail = _("%(count)s deleted") % {"count": count_words(row.count)}
            return AuditRow(row.sequence, at, kind, _("The desk itself"), row.get_kind_display(), detail)
        case _:
            return _event_row(cast(KeyEvent, row), names, kind)


def _event_row(event: KeyEvent, names: _Names, kind: AuditKind) -> AuditRow:
    is_ours = kind in (AuditKind.PEOPLE, AuditKind.API_KEYS)
    actor = names.person(event.figures.get("user")) if is_ours else _("The server's command line")
    if event.kind == PeopleChange.SIGN_IN_STOPPED:
        actor = _("Someone who is not signed in")
    return AuditRow(event.sequence, event.at, kind, actor, _what(event), _detail(event, names, kind))


def _what(event: KeyEvent) -> str:
    words: dict[str, str] = {
        PeopleChange.INVITED: _("Invited someone"),
        PeopleChange.INVITATION_ENDED: _("Ended an invitation"),
        PeopleChange.JOINED: _("Joined"),
        PeopleChange.ROLE_CHANGED: _("Changed a role"),
        PeopleChange.REMOVED: _("Removed someone"),
        PeopleChange.SECOND_STEP_REQUIRED: _("Required two-step sign-in"),
        PeopleChange.SECOND_STEP_OPTIONAL: _("Made two-step sign-in optional"),
        PeopleChange.SIGN_IN_STOPPED: _("Too many wrong passwords or codes: attempts stopped"),
        PeopleChange.SIGN_IN_UNLOCKED: _("Unlocked a sign-in"),
        KeyEventKind.API_KEY_CREATED: _("Created an API key"),
        KeyEventKind.API_KEY_REVOKED: _("Revoked an API key"),
        KeyEventKind.ROTATION_BEGUN: _("Began to rotate encryption keys"),
        KeyEventKind.ROTATED: _("Rotated encryption keys"),
        KeyEventKind.CHECKPOINT: _("Exported a checkpoint"),
        KeyEventKind.STATE_NOTED: _("Noted what was there already"),
    }
    return words.get(event.kind, event.kind)


def _detail(event: KeyEvent, names: _Names, kind: AuditKind) -> str:
    figures = event.figures
    if kind == AuditKind.API_KEYS:
        key = names.keys.get(event.subject) if event.subject else None
        return key.name if key else ""
    if event.kind == PeopleChange.ROLE_CHANGED:
        change = {"before": role_name(figures["before"]), "role": role_name(figures["role"])}
        return _("%(name)s: %(change)s") % {
            "name": names.person(figures["person"]),
            "change": _("%(before)s to %(role)s") % change,
        }
    if event.kind in (PeopleChange.JOINED, PeopleChange.REMOVED):
        return f"{names.person(figures['person'])} · {role_name(figures['role'])}"
    if event.kind in (PeopleChange.SIGN_IN_STOPPED, PeopleChange.SIGN_IN_UNLOCKED):
        return names.person(figures["person"])
    if event.kind in (PeopleChange.INVITED, PeopleChange.INVITATION_ENDED):
        invitation = names.invitations.get(event.subject) if event.subject else None
        # An invitation that has ended no longer says whom it was for.
        whom = (invitation.accepted_by or invitation.email) if invitation else ""
        role = figures.get("role") or (invitation.role if invitation else "")
        return " · ".join(str(part) for part in (whom, role_name(role)) if part)
    return ""

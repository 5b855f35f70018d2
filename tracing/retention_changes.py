"""The record, inside the chain, of who changed a policy or a hold. Runs inside `tenant_atomic`."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from helpdesk.crypto import SealError
from helpdesk.errors import GlassdeskError
from helpdesk.facts.kinds import FactKind, user_actor
from helpdesk.facts.recording import record
from helpdesk.tenants.scope import current_tenant_id
from helpdesk.users.models import User
from tracing.chain import append_to_chain, locked_head
from tracing.models import ChangeKind, RetentionChange

SHOWN_CHANGES = 20


class ChangeNotLogged(GlassdeskError):
    """The chain's key is away: what cannot be logged is not changed."""

    code = "change_not_logged"
    status = 503
    message = _("The change couldn't be logged, so it wasn't made. Ask an operator to check the master key.")


def begin_change() -> None:
    """Keep retention, erasure and other changes out until the transaction ends. Raises ChangeNotLogged."""
    try:
        locked_head()
    except SealError:
        raise ChangeNotLogged from None


def log_change(
    kind: ChangeKind,
    *,
    user: User | None,
    reason: str = "",
    subject: UUID | None = None,
    policy: dict[str, int | None] | None = None,
) -> None:
    """Append the change to the chain, in the transaction that makes it. Raises ChangeNotLogged."""
    change = RetentionChange(kind=kind, subject=subject, user=user, reason=reason, policy=policy or {})
    try:
        append_to_chain(change)
    except SealError:
        raise ChangeNotLogged from None
    days = policy or {}
    record(
        FactKind.RETENTION_CHANGED, subject_id=subject or current_tenant_id(), actor=user_actor(user), change=str(kind),
        prompts=days.get("prompts"), answers=days.get("answers"), metrics=days.get("metrics"),
    )  # fmt: skip


def latest_changes() -> list[RetentionChange]:
    """The newest changes, the newest first."""
    return list(RetentionChange.objects.select_related("user")[:SHOWN_CHANGES])

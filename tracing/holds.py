"""Legal holds: conversations whose traces neither retention nor erasure may touch. Runs inside `tenant_atomic`."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation
from helpdesk.errors import Conflict
from helpdesk.permissions import Right
from helpdesk.users.acting import needs
from helpdesk.users.models import User
from tracing.models import ChangeKind, LegalHold
from tracing.reasons import clean_reason
from tracing.retention_changes import begin_change, log_change


class HeldByLaw(Conflict):
    """A legal hold keeps what was to be erased."""

    code = "legal_hold"
    message = _("At least one of these conversations is on legal hold. Release the hold first.")


@needs(Right.MANAGE_RETENTION)
def place_hold(conversation: Conversation, *, user: User | None, reason: str) -> LegalHold:
    """Keep the conversation's traces; an active hold is returned as it is. Raises ReasonMissing, ChangeNotLogged."""
    reason = clean_reason(reason)
    # Retention and erasure work under this lock: once this commits they see the hold.
    begin_change()
    held = active_holds().filter(conversation=conversation).first()
    if held is not None:
        return held
    hold: LegalHold = LegalHold.objects.create(conversation=conversation, placed_by=user, reason=reason)
    log_change(ChangeKind.HOLD_PLACED, user=user, reason=reason, subject=conversation.id)
    return hold


@needs(Right.MANAGE_RETENTION)
def release_hold(hold: LegalHold, *, user: User | None, reason: str = "") -> None:
    """End the hold; what is due goes with the next run of retention. A released hold is left as it is."""
    released = LegalHold.objects.filter(id=hold.id, released_at__isnull=True).update(
        released_at=timezone.now(), released_by=user
    )
    if released:
        log_change(ChangeKind.HOLD_RELEASED, user=user, reason=reason, subject=hold.conversation_id)


def active_hold_of(conversation_id: UUID) -> LegalHold | None:
    """The hold on this conversation, with who placed it."""
    hold: LegalHold | None = active_holds().filter(conversation_id=conversation_id).select_related("placed_by").first()
    return hold


def active_holds() -> QuerySet[LegalHold]:
    """Holds that were not released."""
    rows: QuerySet[LegalHold] = LegalHold.objects.filter(released_at__isnull=True)
    return rows


def shown_holds(*, limit: int = 100) -> list[LegalHold]:
    """The active holds with who placed them, the newest first."""
    return list(active_holds().select_related("placed_by").order_by("-placed_at")[:limit])


def refuse_when_held(visitor_id: UUID | None = None) -> None:
    """Raises HeldByLaw when a conversation of the visitor, or any of the tenant, is held."""
    holds = active_holds()
    if (holds.filter(conversation__visitor_id=visitor_id) if visitor_id else holds).exists():
        raise HeldByLaw

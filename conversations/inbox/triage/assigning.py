"""Who looks after a conversation. That is beside who has to act: the AI may go on answering in it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from conversations.inbox.triage.choosing import IS_UNRESOLVED, chosen
from conversations.models import Conversation
from helpdesk.errors import InvalidInput
from helpdesk.facts.kinds import Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right, has_right
from helpdesk.users.acting import needs
from helpdesk.users.models import Membership


@needs(Right.REPLY)
def assign(conversation_ids: Iterable[UUID], *, assignee_id: int | None, actor: Actor, only_free: bool = False) -> int:
    """Give them to that person, or to nobody. `only_free` leaves alone what somebody else has.

    Raises InvalidInput when the person is none of the company's or may not reply.
    """
    if assignee_id is not None:
        _check(assignee_id)
        condition = IS_UNRESOLVED & (Q(assignee__isnull=True) | ~Q(assignee=assignee_id))
    else:
        condition = IS_UNRESOLVED & Q(assignee__isnull=False)
    if only_free:
        condition &= Q(assignee__isnull=True)
    ids = chosen(conversation_ids, condition)
    Conversation.objects.filter(id__in=ids).update(assignee=assignee_id)
    for each in ids:
        record(FactKind.ASSIGNED, conversation_id=each, actor=actor, assignee=assignee_id)
    return len(ids)


def _check(user_id: int) -> None:
    role = Membership.objects.filter(user=user_id, user__is_active=True).values_list("role", flat=True).first()
    if role is None or not has_right(role, Right.REPLY):
        raise InvalidInput(_("Choose a teammate who can reply to customers."), parameter="assignee")

"""Which of the conversations that somebody marked an action would change."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from conversations.models import Conversation, ConversationStatus
from helpdesk.errors import InvalidInput

MOST_AT_ONCE = 100
IS_UNRESOLVED = ~Q(status=ConversationStatus.CLOSED)


def chosen(conversation_ids: Iterable[UUID], condition: Q) -> list[UUID]:
    """Those among them that are so, locked in one order, so that two people who mark the same ones never deadlock.

    A row that changed while this waited for its lock is looked at again. Raises InvalidInput for too many.
    """
    wanted = set(conversation_ids)
    if len(wanted) > MOST_AT_ONCE:
        raise InvalidInput(_("At most %(most)d conversations at once.") % {"most": MOST_AT_ONCE})
    rows = Conversation.objects.filter(condition, id__in=wanted, deleted_at__isnull=True)
    return list(rows.select_for_update(no_key=True).order_by("id").values_list("id", flat=True))

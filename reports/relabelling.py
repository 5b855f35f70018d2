"""A label that is put on a conversation or taken off changes the figures of the days on which something happened in it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.utils import timezone

from conversations.models import Conversation, Message
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from reports.days import day_of, zone
from reports.models import ReportDay

RELABELS = frozenset({FactKind.LABELLED, FactKind.UNLABELLED})


def recount_after(fact: Fact) -> None:
    """Have those days added up again. Runs in the scope of the delivery."""
    if fact.conversation_id is None:
        return
    changed = ReportDay.objects.filter(day__in=_days_of(fact.conversation_id)).update(due_at=timezone.now())
    if changed:
        note(Kind.REPORTS)


def _days_of(conversation_id: UUID) -> set[date]:
    where = zone()
    moments = [
        *Message.objects.filter(conversation_id=conversation_id).values_list("created_at", flat=True),
        *Conversation.objects.filter(id=conversation_id).values_list("created_at", flat=True),
    ]
    return {day_of(moment, where) for moment in moments}

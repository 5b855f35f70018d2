"""Hand-offs that nobody takes: the company's people are told once, whoever looks and however often.

Where there are teams, the next one's turn comes each time, until the last.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone

from conversations.models import Conversation, ConversationStatus, HandOff, Team
from conversations.queries import alarms_due
from conversations.replies import next_alarm
from conversations.staffing.assignment import assign_waiting
from conversations.staffing.presence import HERE, presence_of
from helpdesk.facts.kinds import SYSTEM, FactKind
from helpdesk.facts.recording import record
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)


def raise_alarms(tenant_id: UUID) -> int:
    """Raise what is due; returns how many. Each has a transaction of its own, so that nobody waits for the others' locks."""
    with tenant_atomic(tenant_id):
        due = list(alarms_due().order_by("alarm_at").values_list("id", "conversation_id"))
    raised = sum(_raise(tenant_id, hand_off_id, conversation_id) for hand_off_id, conversation_id in due)
    if raised:
        # To the team whose turn it is now.
        assign_waiting(tenant_id)
    return raised


def _raise(tenant_id: UUID, hand_off_id: UUID, conversation_id: UUID) -> bool:
    with tenant_atomic(tenant_id):
        # The conversation's lock first, as everywhere: whoever takes it at this moment comes before or after.
        rows = Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id)
        conversation: Conversation | None = rows.first()
        hand_off = HandOff.objects.filter(id=hand_off_id).select_related("team").first()
        if conversation is None or hand_off is None:
            return False
        now = timezone.now()
        team = _next_team(hand_off.team)
        # While there is a next team, the alarm goes on to run, for that one.
        changes = {"alarmed_at": now} if team is None else {"team": team, "alarm_at": next_alarm(now)}
        if not alarms_due().filter(id=hand_off_id).update(**changes):
            return False
        _note_on(conversation, now, is_passed_on=team is not None)
        record(
            FactKind.HAND_OFF_UNCLAIMED, conversation_id=conversation_id, hand_off=hand_off_id,
            reason=hand_off.reason, seconds=int((now - hand_off.began_at).total_seconds()), channel=conversation.channel,
            team=team.id if team else None,
        )  # fmt: skip
    logger.info("hand_off_unclaimed", conversation_id=str(conversation_id))
    return True


def _next_team(team: Team | None) -> Team | None:
    """Whose turn it is after that one; a hand-off that is everybody's stays everybody's."""
    if team is None:
        return None
    behind = Q(position__gt=team.position) | Q(position=team.position, id__gt=team.id)
    found: Team | None = Team.objects.filter(behind, members__isnull=False).distinct().first()
    return found


def _note_on(conversation: Conversation, now: datetime, *, is_passed_on: bool) -> None:
    """That it is an alarm. Whoever was given it and has not answered has it no longer when another team's turn comes, or when
    they are gone."""
    changes: dict[str, Any] = {"alarmed_at": now}
    given_to = conversation.assignee_id
    if given_to is not None and (is_passed_on or presence_of([given_to])[given_to] != HERE):
        changes["assignee"] = None
    waits = Conversation.objects.filter(id=conversation.id, status=ConversationStatus.WAITING)
    if waits.update(**changes) and "assignee" in changes:
        record(FactKind.ASSIGNED, conversation_id=conversation.id, actor=SYSTEM, assignee=None)

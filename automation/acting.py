"""Doing what a rule says, in the name of the rule. Runs inside `tenant_atomic`."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from automation.actions import Actions, Ending
from automation.models import Rule
from conversations.channels import rules_of
from conversations.inbox import triage
from conversations.inbox.notes import add_note
from conversations.models import Conversation, HandOffReason, Parked, Priority
from conversations.replies import hand_over
from helpdesk.facts.kinds import Actor, ActorKind
from helpdesk.tenants.scope import current_tenant_id


def carry_out(rule: Rule, conversation: Conversation) -> list[str]:
    """Do it; returns the names of what changed something. Raises InvalidInput or NotFound for what is no longer possible."""
    actions, actor = Actions.read(rule.actions), Actor(ActorKind.RULE, str(rule.id))
    ids, done = [conversation.id], []
    if actions.label and triage.add_label(ids, label_id=UUID(actions.label), actor=actor):
        done.append("label")
    if actions.priority and triage.set_priority(ids, priority=Priority(actions.priority), actor=actor):
        done.append("priority")
    if actions.note:
        add_note(
            tenant_id=current_tenant_id(), conversation_id=conversation.id, user=None, body=actions.note, actor=actor
        )
        done.append("note")
    if actions.assign and triage.assign(ids, assignee_id=actions.assign, actor=actor):
        done.append("assign")
    if actions.hand_off and _hand_over(conversation, actor):
        done.append("hand_off")
    if actions.end and _end(ids, actions.end, actor):
        done.append("end")
    return done


def _hand_over(conversation: Conversation, actor: Actor) -> bool:
    if not rules_of(conversation.channel).admits_people:
        return False
    begun = hand_over(conversation, reason=HandOffReason.RULE, language=conversation.language, actor=actor)
    return begun is not None


def _end(ids: list[UUID], end: str, actor: Actor) -> int:
    if end == Ending.CLOSE:
        return triage.resolve(ids, actor=actor)
    if end == Ending.PENDING:
        return triage.park(ids, parked=Parked.PENDING, actor=actor)
    until = timezone.now() + timedelta(hours=int(end.removeprefix("snooze_")))
    return triage.park(ids, parked=Parked.SNOOZED, until=until, actor=actor)

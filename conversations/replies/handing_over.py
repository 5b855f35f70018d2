"""Letting a conversation wait for a person, and ending that wait. The customer always reads that it waits, and why."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from django.utils import timezone

from conversations.events import record_status
from conversations.failures import FailureCode
from conversations.models import (
    Author,
    Conversation,
    ConversationStatus,
    HandOff,
    HandOffEnd,
    HandOffReason,
    HandOffRules,
    Reply,
    Team,
)
from conversations.opening.stored import after_minutes_open
from conversations.replies.ends import stop_replies
from conversations.transcript import append_event, append_message
from helpdesk.facts.kinds import AI, Actor, ActorKind
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind

# One mark of open work does for all hand-offs of such a span.
ALARM_ROUNDED_TO_SECONDS = 10


def hand_off_rules() -> HandOffRules:
    """Those of the tenant in scope; the usual ones when it has set none."""
    rules: HandOffRules | None = HandOffRules.objects.first()
    return rules or HandOffRules()


def hand_over(
    conversation: Conversation, *, reason: HandOffReason, language: str, reply: Reply | None = None
) -> HandOff | None:
    """Let it wait for a person, if the assistant had it; the assistant stops. Runs inside the caller's transaction."""
    now = timezone.now()
    changed = Conversation.objects.filter(id=conversation.id, status=ConversationStatus.AI).update(
        status=ConversationStatus.WAITING, waiting_since=now, alarmed_at=None
    )
    begun: HandOff | None = None
    if changed:
        stop_replies(conversation, code=FailureCode.STOPPED)
        is_asked_for = reason is HandOffReason.REQUESTED
        if is_asked_for:
            append_message(conversation, author=Author.SYSTEM, body="person_requested", language=language)
        else:
            append_event(conversation, f"hand_off_{reason}")
        begun = _begin(conversation, reason, reply, now)
        actor = Actor(ActorKind.CUSTOMER, str(conversation.visitor_id)) if is_asked_for else AI
        record_status(conversation.id, ConversationStatus.WAITING, actor=actor, reason=str(reason))
    conversation.refresh_from_db()
    return begun


def queue_for_person(conversation: Conversation, language: str) -> None:
    """Let it wait for a person because the customer asked for one. Runs inside the caller's transaction."""
    hand_over(conversation, reason=HandOffReason.REQUESTED, language=language)


def end_hand_off(conversation: Conversation, end: HandOffEnd, *, user_id: int | None = None) -> None:
    """The wait is over, if there was one. Runs inside the caller's transaction."""
    HandOff.objects.filter(conversation_id=conversation.id, ended_at__isnull=True).update(
        ended_at=timezone.now(), end=end, taken_by_id=user_id
    )


def _begin(conversation: Conversation, reason: HandOffReason, reply: Reply | None, now: datetime) -> HandOff:
    begun: HandOff = HandOff.objects.create(
        conversation_id=conversation.id, reply=reply, reason=reason, began_at=now, alarm_at=next_alarm(now),
        team=Team.objects.filter(reasons__contains=[reason]).first(),
    )  # fmt: skip
    return begun


def next_alarm(now: datetime) -> datetime:
    """When an alarm is due that begins to run now; noted as work. Runs inside the caller's transaction."""
    alarm_at = _rounded_up(after_minutes_open(now, hand_off_rules().alarm_minutes))
    note(Kind.HAND_OFFS, due_at=alarm_at)
    return alarm_at


def _rounded_up(moment: datetime) -> datetime:
    seconds = math.ceil(moment.timestamp() / ALARM_ROUNDED_TO_SECONDS) * ALARM_ROUNDED_TO_SECONDS
    return datetime.fromtimestamp(seconds, tz=UTC)

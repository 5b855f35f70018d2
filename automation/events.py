"""What happened, as conditions look at it, from a fact or from rows of the past. Runs inside `tenant_atomic`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from automation.conditions import Happening
from automation.models import Trigger
from conversations.clocks.hours import is_open
from conversations.models import (
    Author,
    Clock,
    Conversation,
    ConversationStatus,
    Feedback,
    Giver,
    HandOff,
    Labelling,
    Message,
    Priority,
    Rating,
)
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact


@dataclass(frozen=True, slots=True)
class Past:
    """Something that happened once: in which conversation, when, why it waited then, and the message that it is about."""

    conversation_id: UUID
    at: datetime
    reason: str = ""
    message_id: UUID | None = None


def happening_of(conversation: Conversation, fact: Fact) -> Happening:
    """The conversation now, with what the fact is about."""
    text = _text_of(conversation.id, fact.subject_id if fact.kind == FactKind.MESSAGE_POSTED else None)
    reason = str(fact.data.get("reason") or "") if fact.kind != FactKind.FEEDBACK_GIVEN else ""
    if not reason:
        waits = HandOff.objects.filter(conversation_id=conversation.id, ended_at__isnull=True)
        reason = waits.values_list("reason", flat=True).first() or ""
    labels = Labelling.objects.filter(conversation_id=conversation.id).values_list("label_id", flat=True)
    return _happening(conversation, labels, reason, text, fact.at)


def past_of(trigger: str, *, since: datetime, most: int) -> list[Past]:
    """The last ones of that kind. What has no row of its own is seen by what it left: a label, a priority, an assignee."""
    rows: QuerySet[Any, Any]
    if trigger in {Trigger.STARTED, Trigger.WROTE}:
        return _messages(since, most, is_first=trigger == Trigger.STARTED)
    if trigger in {Trigger.WAITING, Trigger.UNCLAIMED}:
        waits = HandOff.objects.filter(began_at__gte=since, alarmed_at__isnull=False)
        waits = HandOff.objects.filter(began_at__gte=since) if trigger == Trigger.WAITING else waits
        rows = waits.order_by("-began_at").values_list("conversation_id", "began_at", "reason")
    elif trigger == Trigger.OVERDUE:
        broken = Clock.objects.filter(breached_at__gte=since).order_by("-breached_at")
        rows = broken.values_list("conversation_id", "breached_at")
    elif trigger == Trigger.RATED_DOWN:
        given = Feedback.objects.filter(rating=Rating.DOWN, given_by=Giver.CUSTOMER, created_at__gte=since)
        rows = given.order_by("-created_at").values_list("reply__conversation_id", "created_at")
    else:
        found = Conversation.objects.filter(_LEFT_BEHIND[trigger], last_message_at__gte=since, message_count__gt=0)
        rows = found.distinct().order_by("-last_message_at").values_list("id", "last_message_at")
    return [Past(*row) for row in rows[:most]]


_LEFT_BEHIND: dict[str, Q] = {
    Trigger.LABELLED: Q(labellings__isnull=False),
    Trigger.PRIORITY: ~Q(priority=Priority.NORMAL),
    Trigger.ASSIGNED: Q(assignee__isnull=False),
    Trigger.CLOSED: Q(status=ConversationStatus.CLOSED),
}


def happenings(past: Iterable[Past]) -> list[tuple[Past, Conversation, Happening]]:
    """Each with its conversation as it is today, in four queries. What was deleted is left out."""
    known = list(past)
    ids = {each.conversation_id for each in known}
    conversations = {
        row.id: row
        for row in Conversation.objects.filter(id__in=ids, deleted_at__isnull=True, message_count__gt=0).select_related(
            "assignee"
        )
    }
    labels: dict[UUID, set[UUID]] = {}
    for conversation_id, label_id in Labelling.objects.filter(conversation_id__in=ids).values_list(
        "conversation_id", "label_id"
    ):
        labels.setdefault(conversation_id, set()).add(label_id)
    texts = dict(Message.objects.filter(id__in=[each.message_id for each in known]).values_list("id", "body"))
    last = _last_texts({each.conversation_id for each in known if each.message_id is None})
    found = []
    for each in known:
        conversation = conversations.get(each.conversation_id)
        if conversation is None:
            continue
        text = texts.get(each.message_id, "") if each.message_id else last.get(each.conversation_id, "")
        seen = _happening(conversation, labels.get(conversation.id, ()), each.reason, text, each.at)
        found.append((each, conversation, seen))
    return found


def _messages(since: datetime, most: int, *, is_first: bool) -> list[Past]:
    said = Message.objects.filter(author=Author.CUSTOMER, created_at__gte=since).order_by("-created_at")
    if is_first:
        said = said.filter(position=1)
    rows = said.values_list("conversation_id", "created_at", "id")[:most]
    return [Past(conversation, at, message_id=message) for conversation, at, message in rows]


def _last_texts(conversation_ids: set[UUID]) -> dict[UUID, str]:
    said = Message.objects.filter(conversation_id__in=conversation_ids, author=Author.CUSTOMER)
    newest = said.order_by("conversation_id", "-position").distinct("conversation_id")
    return dict(newest.values_list("conversation_id", "body"))


def _text_of(conversation_id: UUID, message_id: UUID | None) -> str:
    said = Message.objects.filter(conversation_id=conversation_id, author=Author.CUSTOMER)
    if message_id is not None:
        said = said.filter(id=message_id)
    text: str = said.order_by("-position").values_list("body", flat=True).first() or ""
    return text


def _happening(
    conversation: Conversation, labels: Iterable[UUID], reason: str, text: str, at: datetime | None = None
) -> Happening:
    return Happening(
        language=conversation.language,
        channel=conversation.channel,
        priority=conversation.priority,
        labels=frozenset(str(each) for each in labels),
        reason=reason,
        text=text,
        is_open=is_open(at or timezone.now()),
    )

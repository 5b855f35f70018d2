"""Shared reads. Every function expects to run inside `tenant_atomic`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from conversations.models import (
    Assistant,
    Conversation,
    ConversationStatus,
    HandOff,
    Message,
    Parked,
    Reply,
    ReplyPurpose,
    ReplyStatus,
)
from conversations.shapes import FollowedConversationShape, FollowedReplyShape, MessageShape
from helpdesk.errors import NotFound

IN_FLIGHT = (ReplyStatus.QUEUED, ReplyStatus.RUNNING)


def has_open_replies() -> bool:
    """Whether a reply of the tenant waits or is being written."""
    return bool(Reply.objects.filter(status__in=IN_FLIGHT).exists())


def alarms_due() -> QuerySet[HandOff]:
    """Hand-offs that nobody has taken in the company's time, and of which nobody was told."""
    rows: QuerySet[HandOff] = HandOff.objects.filter(ended_at__isnull=True, alarmed_at__isnull=True)
    return rows.filter(alarm_at__lte=timezone.now())


def has_due_alarms() -> bool:
    """Whether the tenant has such a hand-off now."""
    return alarms_due().exists()


def open_hand_off(conversation_id: UUID) -> HandOff | None:
    """The wait that goes on, with the answer that it is about."""
    rows = HandOff.objects.filter(conversation_id=conversation_id, ended_at__isnull=True)
    found: HandOff | None = rows.select_related("reply__question", "team").first()
    return found


def due_snoozes() -> QuerySet[Conversation]:
    """Snoozed conversations whose time has come, the longest overdue first."""
    rows: QuerySet[Conversation] = Conversation.objects.filter(parked=Parked.SNOOZED, wakes_at__lte=timezone.now())
    return rows.order_by("wakes_at", "id")


def has_due_snoozes() -> bool:
    """Whether the tenant has some."""
    return due_snoozes().exists()


def default_assistant() -> Assistant:
    """The tenant's assistant; raises NotFound for a tenant that was never set up."""
    assistant: Assistant | None = Assistant.objects.filter(is_default=True).first()
    if assistant is None:
        raise NotFound
    return assistant


def current_conversation(visitor_id: UUID) -> Conversation | None:
    """The visitor's open conversation."""
    open_ones = Conversation.objects.filter(visitor_id=visitor_id).exclude(status=ConversationStatus.CLOSED)
    conversation: Conversation | None = open_ones.select_related("assignee", "writer").order_by("-created_at").first()
    return conversation


def conversation_by_id(conversation_id: UUID) -> Conversation:
    """One conversation of the tenant; raises NotFound, also for a deleted one."""
    conversation: Conversation | None = (
        Conversation.objects.filter(id=conversation_id, deleted_at__isnull=True)
        .select_related("assignee", "assistant", "visitor", "writer", "survey")
        .first()
    )
    if conversation is None:
        raise NotFound
    return conversation


def transcript(conversation_id: UUID) -> list[Message]:
    """All messages in order, with their authors' names, the reply that each answers, and its feedback."""
    return list(
        Message.objects.filter(conversation_id=conversation_id)
        .select_related("user", "answer_to", "conversation__assistant")
        .prefetch_related("answer_to__feedback")
        .order_by("position")
    )


def replies_in_flight(conversation_id: UUID) -> list[Reply]:
    """Answers that are still queued or being written; drafts and the like are not the customer's to see."""
    answers = Reply.objects.filter(conversation_id=conversation_id, purpose=ReplyPurpose.ANSWER)
    return list(answers.filter(status__in=IN_FLIGHT).order_by("queued_at"))


def history_before(message: Message, *, limit: int | None = 12) -> list[Message]:
    """The newest messages before this one, or all of them, the oldest first."""
    earlier = Message.objects.filter(conversation_id=message.conversation_id, position__lt=message.position)
    return list(reversed(earlier.order_by("-position")[:limit]))


def waiting_position(conversation: Conversation) -> int | None:
    """Position in the queue for a person, from 1; None when the conversation does not wait."""
    if conversation.status != ConversationStatus.WAITING or conversation.waiting_since is None:
        return None
    ahead = Conversation.objects.filter(
        status=ConversationStatus.WAITING, waiting_since__lt=conversation.waiting_since
    ).count()
    return int(ahead) + 1


def describe_conversation(conversation: Conversation) -> dict[str, Any]:
    """The `conversation` object of the protocol."""
    return FollowedConversationShape.of(conversation, waiting_position=waiting_position(conversation)).as_json()


def describe_message(message: Message) -> dict[str, Any]:
    """The `message` object of the protocol."""
    return MessageShape.of(message).as_json()


def describe_replies(replies: Sequence[Reply]) -> list[dict[str, Any]]:
    """The `reply` objects of the protocol."""
    return [FollowedReplyShape.of(reply).as_json() for reply in replies]

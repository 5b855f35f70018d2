"""What the desk shows of one conversation: its transcript and what surrounds it. Inside `tenant_atomic`; few queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.failures import sentence_for_desk
from conversations.inbox.queues import on_the_desk
from conversations.inbox.rows import Row, rows_of
from conversations.models import (
    Author,
    Conversation,
    ConversationStatus,
    Feedback,
    Message,
    Note,
    Reply,
    ReplyPurpose,
    ReplyStatus,
)
from conversations.queries import replies_in_flight, transcript
from conversations.words import system_words, visitor_name


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the transcript; `day` is set on the first one of a day, `failure` when no answer came to it.

    `notes` are private ones that were written behind it.
    """

    message: Message
    author: str
    text: str
    day: date | None
    reply_id: UUID | None
    failure: str
    feedback: tuple[Feedback, ...] = ()
    notes: tuple[Note, ...] = ()


def entries(conversation: Conversation, *, after: int = 0) -> list[Entry]:
    """The transcript behind position `after`, ready to be shown."""
    messages = transcript(conversation.id)
    failures = _failures(conversation.id)
    shown: list[Entry] = []
    previous: date | None = None
    for message in messages:
        day = timezone.localtime(message.created_at).date()
        if message.position > after:
            shown.append(_entry(message, conversation, day if day != previous else None, failures.get(message.id, "")))
        previous = day
    return shown


def is_being_answered(conversation: Conversation) -> bool:
    """Whether an answer of the AI is on its way; what it writes after a person took over is discarded."""
    return conversation.status in {ConversationStatus.AI, ConversationStatus.WAITING} and bool(
        replies_in_flight(conversation.id)
    )


def other_conversations(conversation: Conversation, *, limit: int = 5) -> list[Row]:
    """What else the same visitor has asked."""
    found = on_the_desk().filter(visitor_id=conversation.visitor_id).exclude(id=conversation.id)
    others = found.select_related("assignee").order_by("-last_message_at")[:limit]
    return rows_of(list(others), with_labels=False)


def _entry(message: Message, conversation: Conversation, day: date | None, failure: str) -> Entry:
    names: dict[str, Any] = {
        Author.CUSTOMER: visitor_name(conversation.visitor_id),
        Author.AI: conversation.assistant.name,
        Author.PERSON: str(message.user) if message.user else _("A person"),
        Author.SYSTEM: "",
    }
    reply = getattr(message, "answer_to", None)
    return Entry(
        message=message,
        author=names[message.author],
        text=system_words(message.body, str(message.user or "")) if message.author == Author.SYSTEM else message.body,
        day=day,
        reply_id=reply.id if reply else None,
        failure=failure,
        feedback=tuple(reply.feedback.all()) if reply else (),
    )


def _failures(conversation_id: UUID) -> dict[UUID, str]:
    """Why there is no answer, by the question's id."""
    answers = Reply.objects.filter(conversation_id=conversation_id, purpose=ReplyPurpose.ANSWER)
    failed = answers.filter(status=ReplyStatus.FAILED)
    return {question: sentence_for_desk(code) for question, code in failed.values_list("question_id", "error_code")}

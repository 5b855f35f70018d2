"""What the desk's pages show: filters, rows, transcript. Runs inside `tenant_atomic`; a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.channels import IN_INBOX
from conversations.failures import sentence_for_desk
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
from conversations.words import system_words, visitor_name, waiting_words
from helpdesk.errors import NotFound
from helpdesk.users.models import User

ROWS_PER_PAGE = 50

FILTERS: dict[str, str | Promise] = {
    "open": gettext_lazy("Open"),
    "ai": gettext_lazy("AI"),
    "waiting": gettext_lazy("Waiting"),
    "mine": gettext_lazy("Mine"),
    "closed": gettext_lazy("Closed"),
}


@dataclass(frozen=True, slots=True)
class FilterTab:
    """One filter above the list with the number of conversations that it shows."""

    name: str
    label: str | Promise
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list; `owner` is who has to act, in words."""

    id: UUID
    visitor: str
    author: str
    preview: str
    status: str
    owner: str
    at: datetime
    language: str


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


def condition(name: str, user: User) -> Q:
    """The rows of a filter; an unknown name raises NotFound."""
    conditions = {
        "open": ~Q(status=ConversationStatus.CLOSED),
        "ai": Q(status=ConversationStatus.AI),
        "waiting": Q(status=ConversationStatus.WAITING),
        "mine": Q(status=ConversationStatus.PERSON, assignee=user),
        "closed": Q(status=ConversationStatus.CLOSED),
    }
    if name not in conditions:
        raise NotFound
    return conditions[name]


def tabs(user: User) -> list[FilterTab]:
    """All filters with their counts, in one query."""
    counts = _with_messages().aggregate(**{name: Count("id", filter=condition(name, user)) for name in FILTERS})
    return [FilterTab(name, label, counts[name]) for name, label in FILTERS.items()]


def rows(name: str, user: User, *, page: int = 1) -> tuple[list[Row], bool]:
    """A page of rows and whether there are more: who waits longest comes first, everything else by the last message."""
    order = ["waiting_since", "id"] if name == "waiting" else ["-last_message_at", "id"]
    first = (page - 1) * ROWS_PER_PAGE
    found = _with_messages().filter(condition(name, user)).select_related("assignee").order_by(*order)
    conversations = list(found[first : first + ROWS_PER_PAGE + 1])
    now = timezone.now()
    shown = [_row(conversation, now) for conversation in conversations[:ROWS_PER_PAGE]]
    return shown, len(conversations) > ROWS_PER_PAGE


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
    found = _with_messages().filter(visitor_id=conversation.visitor_id).exclude(id=conversation.id)
    now = timezone.now()
    return [_row(other, now) for other in found.select_related("assignee").order_by("-last_message_at")[:limit]]


def owner_words(conversation: Conversation, now: datetime) -> str:
    """Who has to act: AI, waiting (and since when), the person's name, or nobody any more."""
    if conversation.status == ConversationStatus.WAITING and conversation.waiting_since:
        return waiting_words(conversation.waiting_since, now, is_unclaimed=conversation.alarmed_at is not None)
    if conversation.status == ConversationStatus.PERSON:
        return str(conversation.assignee) if conversation.assignee else _("A person")
    return str(ConversationStatus(conversation.status).label)


def _with_messages() -> QuerySet[Conversation]:
    """What people at the desk look after: of other channels' conversations only those that a person has or is to have."""
    needs_people = Q(status__in=[ConversationStatus.WAITING, ConversationStatus.PERSON])
    found: QuerySet[Conversation] = Conversation.objects.filter(
        Q(channel__in=IN_INBOX) | needs_people, message_count__gt=0
    )
    return found


def _row(conversation: Conversation, now: datetime) -> Row:
    is_system = conversation.last_author == Author.SYSTEM
    return Row(
        id=conversation.id,
        visitor=visitor_name(conversation.visitor_id),
        author="" if is_system else _last_author(conversation),
        preview=system_words(conversation.preview) if is_system else conversation.preview,
        status=conversation.status,
        owner=owner_words(conversation, now),
        at=conversation.last_message_at,
        language=conversation.language,
    )


def _last_author(conversation: Conversation) -> str:
    """Sending takes ownership, so that the last person who wrote is the one who has the conversation."""
    if conversation.last_author == Author.PERSON and conversation.assignee:
        return str(conversation.assignee)
    return str(Author(conversation.last_author).label)


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

"""Conversations as the lines of lists on the desk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Author, Conversation, ConversationStatus, Label, Labelling, Priority
from conversations.words import system_words, visitor_name, waiting_words


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list; `owner` is who has to act, in words. `is_unanswered`: the customer wrote last, and not to the AI.

    `unread` is how many of the customer's messages the reader has not seen, `has_draft` that they have begun to write.
    """

    id: UUID
    visitor: str
    author: str
    preview: str
    status: str
    owner: str
    at: datetime
    language: str
    stage: str
    wakes_at: datetime | None
    priority: str
    priority_words: str
    labels: tuple[Label, ...]
    is_unanswered: bool
    unread: int
    has_draft: bool


def row_of(
    conversation: Conversation, now: datetime, *, with_labels: bool = True, unread: int = 0, has_draft: bool = False
) -> Row:
    """The line of a conversation; needs `assignee`, and with labels `labellings__label`."""
    is_system = conversation.last_author == Author.SYSTEM
    labellings: Iterable[Labelling] = conversation.labellings.all() if with_labels else ()
    return Row(
        id=conversation.id,
        visitor=visitor_name(conversation.visitor_id),
        author="" if is_system else _last_author(conversation),
        preview=system_words(conversation.preview) if is_system else conversation.preview,
        status=conversation.status,
        owner=owner_words(conversation, now),
        at=conversation.last_message_at,
        language=conversation.language,
        stage=conversation.stage,
        wakes_at=conversation.wakes_at,
        priority="" if conversation.priority == Priority.NORMAL else conversation.priority,
        priority_words=str(Priority(conversation.priority).label),
        labels=tuple(sorted((each.label for each in labellings), key=lambda label: label.name.lower())),
        is_unanswered=conversation.last_author in {Author.CUSTOMER, Author.SYSTEM}
        and conversation.status in {ConversationStatus.WAITING, ConversationStatus.PERSON},
        unread=unread,
        has_draft=has_draft,
    )


def rows_of(
    conversations: list[Conversation],
    *,
    with_labels: bool = True,
    unread: Mapping[UUID, int] | None = None,
    drafted: Collection[UUID] = (),
) -> list[Row]:
    """The lines of several; `unread` by the conversations' ids, `drafted` those in which the reader has begun to write."""
    now, counts = timezone.now(), unread or {}
    return [
        row_of(each, now, with_labels=with_labels, unread=counts.get(each.id, 0), has_draft=each.id in drafted)
        for each in conversations
    ]


def owner_words(conversation: Conversation, now: datetime) -> str:
    """Who has to act: AI, waiting (and since when), the person's name, or nobody any more."""
    if conversation.status == ConversationStatus.WAITING and conversation.waiting_since:
        return waiting_words(conversation.waiting_since, now, is_unclaimed=conversation.alarmed_at is not None)
    if conversation.status == ConversationStatus.PERSON:
        return str(conversation.assignee) if conversation.assignee else _("A person")
    return str(ConversationStatus(conversation.status).label)


def _last_author(conversation: Conversation) -> str:
    """Sending takes ownership, so that the last person who wrote is mostly the one who has the conversation."""
    is_person = conversation.last_author == Author.PERSON and conversation.status == ConversationStatus.PERSON
    if is_person and conversation.assignee:
        return str(conversation.assignee)
    return str(Author(conversation.last_author).label)

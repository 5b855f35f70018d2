"""The objects of the protocol and of the API: conversations, messages and replies, each written once.

What a message or its source shows is decided here alone: the sockets, the API, batches and `/v1` all serve these.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Self
from uuid import UUID

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from conversations.language_notes import language_note
from conversations.models import (
    AnswerKind,
    Author,
    CacheKind,
    Conversation,
    ConversationStatus,
    Feedback,
    FeedbackReason,
    Giver,
    Message,
    Outcome,
    Rating,
    Reply,
    ReplyStatus,
    Survey,
    TextFormat,
)
from conversations.opening.stored import Wait, expected_wait
from helpdesk.api.shapes import Moment, OneOf, Shape, StoredId, StoredMoment
from helpdesk.tenants.models import Language
from helpdesk.users.models import User

MINUTES_PER_WAITING_CONVERSATION = 4


class SourceShape(Shape):
    """A passage that an answer cites; `translation` is there where its quote was put into the customer's language."""

    number: int
    article: StoredId
    version: int
    chunk: StoredId
    title: str
    heading: str
    language: Annotated[str, OneOf(Language)]
    quote: str
    updated_at: StoredMoment
    translation: str = ""


class FeedbackShape(Shape):
    """What the customer thought of an answer."""

    rating: Annotated[str, OneOf(Rating)]
    reason: Annotated[str, OneOf(FeedbackReason, or_empty=True)]
    comment: str

    @classmethod
    def of(cls, given: Feedback) -> Self:
        return cls(rating=given.rating, reason=given.reason, comment=given.comment)

    @classmethod
    def of_customer(cls, given: Iterable[Feedback]) -> Self | None:
        """The customer's among those of all givers."""
        own = next((each for each in given if each.given_by == Giver.CUSTOMER), None)
        return cls.of(own) if own else None


class MessageShape(Shape):
    """One entry of a transcript."""

    id: UUID
    position: int
    author: Annotated[str, OneOf(Author)]
    name: str
    body: str
    format: Annotated[str, OneOf(TextFormat)]
    language: Annotated[str, OneOf(Language)]
    created_at: Moment
    client_id: UUID | None
    outcome: Annotated[str, OneOf(Outcome, or_empty=True)]
    kind: Annotated[str, OneOf(AnswerKind, or_empty=True)]
    sources: list[SourceShape]
    confidence_band: str
    note: str
    translation: str
    while_indexing: bool
    cache: Annotated[str, OneOf(CacheKind, or_empty=True)]
    seconds: float | None
    reply: UUID | None
    feedback: FeedbackShape | None

    @classmethod
    def of(cls, message: Message) -> Self:
        """Needs `user`, `answer_to` with its feedback, and `conversation__assistant`."""
        reply = getattr(message, "answer_to", None)
        return cls(
            id=message.id,
            position=message.position,
            author=message.author,
            name=_author_name(message),
            body=message.body,
            format=message.format,
            language=message.language,
            created_at=message.created_at,
            client_id=message.client_id,
            outcome=message.outcome,
            kind=message.kind,
            sources=public_sources(message.sources),
            confidence_band=message.confidence_band,
            note=language_note(message),
            translation=message.translation,
            while_indexing=message.while_indexing,
            cache=message.cache,
            seconds=message.seconds,
            reply=reply.id if reply else None,
            feedback=FeedbackShape.of_customer(reply.feedback.all()) if reply else None,
        )


class SurveyShape(Shape):
    """How a conversation went for the customer: 1 to 5, or null where they have not said."""

    score: int | None
    comment: str
    is_open: bool

    @classmethod
    def of(cls, survey: Survey) -> Self:
        return cls(score=survey.score, comment=survey.comment, is_open=survey.is_open)


class FollowedConversationShape(Shape):
    """The `conversation` object of the protocol."""

    id: UUID
    status: Annotated[str, OneOf(ConversationStatus)]
    language: Annotated[str, OneOf(Language)]
    assignee: str | None
    waiting_position: int | None
    wait_minutes: int | None
    back_at: Moment | None
    unclaimed: bool
    has_email: bool
    writing: str | None
    writing_seconds: int | None
    survey: SurveyShape | None

    @classmethod
    def of(cls, conversation: Conversation, *, waiting_position: int | None) -> Self:
        wait = Wait()
        if waiting_position:
            wait = expected_wait(timezone.now(), waiting_position * MINUTES_PER_WAITING_CONVERSATION)
        seconds = conversation.seconds_of_writing
        # Until a person has it, who looks after it is the company's own affair.
        has_person = conversation.status not in {ConversationStatus.AI, ConversationStatus.WAITING}
        return cls(
            id=conversation.id,
            status=conversation.status,
            language=conversation.language,
            assignee=(conversation.assignee.name or None) if conversation.assignee and has_person else None,
            waiting_position=waiting_position,
            wait_minutes=wait.minutes,
            back_at=wait.back_at,
            unclaimed=conversation.alarmed_at is not None,
            has_email=conversation.visitor.answer_email != "",
            writing=_name_of(conversation.writer, conversation.language) if seconds else None,
            writing_seconds=seconds or None,
            survey=SurveyShape.of(conversation.survey) if hasattr(conversation, "survey") else None,
        )


class EarlierConversationShape(Shape):
    """A line of the list of a visitor's conversations; `preview` is the beginning of its last message."""

    id: UUID
    status: Annotated[str, OneOf(ConversationStatus)]
    created_at: Moment
    last_message_at: Moment
    last_author: Annotated[str, OneOf(Author)]
    preview: str

    @classmethod
    def of(cls, conversation: Conversation) -> Self:
        return cls(
            id=conversation.id,
            status=conversation.status,
            created_at=conversation.created_at,
            last_message_at=conversation.last_message_at,
            last_author=conversation.last_author,
            # Of a system's event there is only a code.
            preview="" if conversation.last_author == Author.SYSTEM else conversation.preview,
        )


class FollowedReplyShape(Shape):
    """The `reply` object of the protocol."""

    id: UUID
    question: UUID
    status: Annotated[str, OneOf(ReplyStatus)]
    attempt: int

    @classmethod
    def of(cls, reply: Reply) -> Self:
        return cls(id=reply.id, question=reply.question_id, status=reply.status, attempt=reply.attempt)


def public_sources(sources: Iterable[dict[str, Any]]) -> list[SourceShape]:
    """Stored sources as they are shown: without the whole passage."""
    return [SourceShape.stored(source) for source in sources]


def _name_of(person: User | None, language: str) -> str:
    """How customers see somebody of the company: never by the address, which stands for a missing name at the desk."""
    if person is not None and person.name:
        return person.name
    with translation.override("zh-hans" if language == Language.CHINESE else "en"):
        return _("A person")


def _author_name(message: Message) -> str:
    if message.user is not None:
        return message.user.name
    return message.conversation.assistant.name if message.author == Author.AI else ""

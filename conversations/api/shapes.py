"""Rows as the objects that API clients get."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from conversations.failures import sentence_for_api_client
from conversations.models import (
    AnsweredBy,
    Channel,
    Conversation,
    ConversationStatus,
    Message,
    Priority,
    Reply,
    ReplyStatus,
    Stage,
    Survey,
)
from conversations.shapes import MessageShape
from helpdesk.api.shapes import Moment, OneOf, Shape
from helpdesk.tenants.models import Language


class ConversationRatingShape(Shape):
    """How the conversation went for its customer, from 1 (worst) to 5; `answered_by` is who had answered them."""

    score: int
    comment: str
    answered_by: Annotated[str, OneOf(AnsweredBy)]
    rated_at: Moment

    @classmethod
    def of(cls, survey: Survey | None) -> Self | None:
        """None where they were not asked, or have not said."""
        if survey is None or survey.score is None or survey.rated_at is None:
            return None
        return cls(score=survey.score, comment=survey.comment, answered_by=survey.answered_by, rated_at=survey.rated_at)


class ConversationShape(Shape):
    """A conversation."""

    id: UUID
    status: Annotated[str, OneOf(ConversationStatus)]
    channel: Annotated[str, OneOf(Channel)]
    language: Annotated[str, OneOf(Language)]
    customer: str | None
    assignee: str | None
    stage: Annotated[str, OneOf(Stage)]
    wakes_at: Moment | None
    priority: Annotated[str, OneOf(Priority)]
    labels: list[str]
    rating: ConversationRatingShape | None
    message_count: int
    created_at: Moment
    last_message_at: Moment

    @classmethod
    def of(cls, conversation: Conversation) -> Self:
        """Needs `visitor`, `assignee`, `survey` and `labellings__label`."""
        return cls(
            id=conversation.id,
            status=conversation.status,
            channel=conversation.channel,
            language=conversation.language,
            customer=conversation.visitor.reference or None,
            assignee=str(conversation.assignee) if conversation.assignee else None,
            stage=conversation.stage,
            wakes_at=conversation.wakes_at,
            priority=conversation.priority,
            labels=sorted(each.label.name for each in conversation.labellings.all()),
            rating=ConversationRatingShape.of(getattr(conversation, "survey", None)),
            message_count=conversation.message_count,
            created_at=conversation.created_at,
            last_message_at=conversation.last_message_at,
        )


class ReplyErrorShape(Shape):
    """Why no answer came."""

    code: str
    message: str


class ReplyShape(Shape):
    """The work of answering one message."""

    id: UUID
    conversation: UUID
    question: UUID
    status: Annotated[str, OneOf(ReplyStatus)]
    attempt: int
    queued_at: Moment
    finished_at: Moment | None
    answer: MessageShape | None
    error: ReplyErrorShape | None

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """Reads the answer when there is one."""
        code = reply.error_code
        return cls(
            id=reply.id,
            conversation=reply.conversation_id,
            question=reply.question_id,
            status=reply.status,
            attempt=reply.attempt,
            queued_at=reply.queued_at,
            finished_at=reply.finished_at,
            answer=_message(reply.answer_id) if reply.answer_id else None,
            error=ReplyErrorShape(code=code, message=sentence_for_api_client(code)) if code else None,
        )


class AskedShape(Shape):
    """What became of a question; `reply` is null when a person has to answer."""

    message: MessageShape
    reply: ReplyShape | None

    @classmethod
    def now(cls, message_id: UUID, reply_id: UUID | None) -> Self:
        """The stored question and its reply as they are now."""
        reply = Reply.objects.get(id=reply_id) if reply_id else None
        return cls(message=_message(message_id), reply=ReplyShape.of(reply) if reply else None)


class ReplyEventShape(Shape):
    """One server-sent event of a reply's stream."""

    id: str = Field(default="", description="For `Last-Event-ID`.")
    event: Literal["reply", "phase", "delta", "done", "failed"]
    data: str = Field(description="A JSON object.")


def _message(message_id: UUID) -> MessageShape:
    rows = Message.objects.select_related("user", "answer_to", "conversation__assistant")
    return MessageShape.of(rows.get(id=message_id))

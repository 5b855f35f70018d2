"""Writes of a conversation: each function is one short transaction in the tenant's scope."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from conversations import events, replies
from conversations.admission import admit
from conversations.failures import FailureCode
from conversations.models import (
    Author,
    Conversation,
    ConversationStatus,
    Message,
    Reply,
    ReplyPriority,
    ReplyPurpose,
    Visitor,
)
from conversations.parameters import RequestParameters
from conversations.queries import current_conversation, default_assistant
from conversations.small_talk import SmallTalk, small_talk
from conversations.transcript import append_message
from conversations.validation import clean_body
from helpdesk.errors import Conflict, NotFound
from helpdesk.tenants.scope import current_tenant_id, tenant_atomic
from helpdesk.users.models import User


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """The stored message; `reply` is None when a person has to answer."""

    conversation: Conversation
    message: Message
    reply: Reply | None


def begin_visit(tenant_id: UUID, visitor_id: UUID | None = None) -> UUID:
    """The visitor's id: the given one when it still exists, else a new visitor's."""
    with tenant_atomic(tenant_id):
        if visitor_id and Visitor.objects.filter(id=visitor_id).update(last_seen_at=timezone.now()):
            return visitor_id
        created: Visitor = Visitor.objects.create()
        return created.id


def post_customer_message(
    *, tenant_id: UUID, visitor_id: UUID, client_id: UUID, body: object, language: str
) -> PostedMessage:
    """Store the customer's message and queue the assistant's reply; a repeated `client_id` returns the existing rows.

    A message that only asks for a person puts the conversation in the line for one.
    Raises InvalidInput, MessageTooLong or, when the line for an answer is full, Busy; nothing is stored then.
    """
    text = clean_body(body)
    try:
        with tenant_atomic(tenant_id):
            return _post_customer_message(visitor_id, client_id, text, language)
    except IntegrityError:
        # The same client_id arrived twice at once; the first one won.
        with tenant_atomic(tenant_id):
            existing = _existing_message(visitor_id, client_id)
            if existing is None:
                raise
            return existing


def _existing_message(visitor_id: UUID, client_id: UUID) -> PostedMessage | None:
    message = (
        Message.objects.filter(conversation__visitor_id=visitor_id, client_id=client_id)
        .select_related("conversation")
        .first()
    )
    if message is None:
        return None
    return PostedMessage(
        message.conversation, message, Reply.objects.filter(question=message, purpose=ReplyPurpose.ANSWER).first()
    )


def _post_customer_message(visitor_id: UUID, client_id: UUID, text: str, language: str) -> PostedMessage:
    existing = _existing_message(visitor_id, client_id)
    if existing is not None:
        return existing
    visitor = Visitor.objects.select_for_update(no_key=True).filter(id=visitor_id).first()
    if visitor is None:
        raise NotFound
    conversation = current_conversation(visitor_id) or Conversation.objects.create(
        visitor=visitor, assistant=default_assistant(), language=language
    )
    message = append_message(conversation, author=Author.CUSTOMER, body=text, language=language, client_id=client_id)
    if small_talk(text) is SmallTalk.PERSON:
        _put_in_line(conversation, language)
    reply = queue_reply(conversation, message) if conversation.status == ConversationStatus.AI else None
    return PostedMessage(conversation, message, reply)


def queue_reply(conversation: Conversation, question: Message, *, parameters: RequestParameters | None = None) -> Reply:
    """Have the assistant answer this message. Runs inside the caller's transaction; raises Busy when the line is full."""
    place = admit(ReplyPriority.INTERACTIVE)
    return replies.queue_reply(
        conversation,
        question,
        priority=ReplyPriority.INTERACTIVE,
        rank=place.rank,
        wait_seconds=place.wait_seconds,
        parameters=parameters or RequestParameters(),
        deadline_seconds=settings.REPLY_DEADLINE_SECONDS,
    )


def ask_for_person(*, tenant_id: UUID, visitor_id: UUID, language: str) -> Conversation:
    """Put the visitor's conversation in the line for a person; asking twice changes nothing."""
    with tenant_atomic(tenant_id):
        visitor = Visitor.objects.select_for_update(no_key=True).filter(id=visitor_id).first()
        if visitor is None:
            raise NotFound
        conversation = current_conversation(visitor_id) or Conversation.objects.create(
            visitor=visitor, assistant=default_assistant(), language=language
        )
        _put_in_line(conversation, language)
        return conversation


def _put_in_line(conversation: Conversation, language: str) -> None:
    """Let it wait for a person, if the assistant had it; the assistant stops."""
    changed = Conversation.objects.filter(id=conversation.id, status=ConversationStatus.AI).update(
        status=ConversationStatus.WAITING, waiting_since=timezone.now()
    )
    if changed:
        replies.stop_replies(conversation, code=FailureCode.STOPPED)
        append_message(conversation, author=Author.SYSTEM, body="person_requested", language=language)
        events.announce(current_tenant_id(), conversation.id, events.status_changed())
    conversation.refresh_from_db()


def post_person_message(*, tenant_id: UUID, conversation_id: UUID, user: User, body: object) -> Message:
    """Send a person's reply: takes ownership in the same step and stops the assistant.

    Raises Conflict when the conversation is closed, NotFound when it is not the tenant's.
    """
    text = clean_body(body)
    with tenant_atomic(tenant_id):
        conversation = Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id).first()
        if conversation is None:
            raise NotFound
        if conversation.status == ConversationStatus.CLOSED:
            raise Conflict
        Conversation.objects.filter(id=conversation_id).update(
            status=ConversationStatus.PERSON, assignee=user, waiting_since=None
        )
        replies.stop_replies(conversation, code=FailureCode.SUPERSEDED)
        message = append_message(
            conversation, author=Author.PERSON, body=text, user=user, language=conversation.language
        )
        events.announce(tenant_id, conversation_id, events.status_changed())
        return message


def hand_back_to_assistant(*, tenant_id: UUID, conversation_id: UUID) -> None:
    """Let the assistant answer the customer's next message again."""
    with tenant_atomic(tenant_id):
        changed = Conversation.objects.filter(
            id=conversation_id, status__in=[ConversationStatus.PERSON, ConversationStatus.WAITING]
        ).update(status=ConversationStatus.AI, assignee=None, waiting_since=None)
        if changed:
            events.announce(tenant_id, conversation_id, events.status_changed())


def close_conversation(*, tenant_id: UUID, conversation_id: UUID) -> None:
    """End the conversation; the visitor's next message begins another."""
    with tenant_atomic(tenant_id):
        conversation = Conversation.objects.filter(id=conversation_id).first()
        if conversation is None:
            raise NotFound
        changed = (
            Conversation.objects.filter(id=conversation_id)
            .exclude(status=ConversationStatus.CLOSED)
            .update(status=ConversationStatus.CLOSED, waiting_since=None)
        )
        if changed:
            replies.stop_replies(conversation, code=FailureCode.STOPPED)
            events.announce(tenant_id, conversation_id, events.status_changed())

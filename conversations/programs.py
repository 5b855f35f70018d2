"""Conversations that other software holds for its customers. Each has an id of its own that the program keeps."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.domain import PostedMessage, queue_reply
from conversations.models import (
    Author,
    Channel,
    Conversation,
    ConversationStatus,
    Message,
    Reply,
    ReplyPurpose,
    Visitor,
)
from conversations.parameters import RequestParameters
from conversations.queries import default_assistant
from conversations.transcript import append_message
from conversations.validation import clean_body
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import current_tenant_id
from knowledge.text import detect_language

REFERENCE_CHARACTERS = 128


class NotAProgramsConversation(Conflict):
    """A customer holds this conversation in person; nobody else may speak for them."""

    code = "not_an_api_conversation"
    message = _(
        "This conversation was not begun over the API, so that nothing can be asked in it. Begin one of your own."
    )


class ConversationClosed(Conflict):
    """It has ended."""

    code = "conversation_closed"
    message = _("This conversation is closed. Begin another one.")


def begin_conversation(*, customer: str = "", language: str = "") -> Conversation:
    """A new conversation of the tenant in scope; `customer` ties it to the others of that customer.

    Raises InvalidInput for a reference that cannot be one.
    """
    conversation: Conversation = Conversation.objects.create(
        visitor=visitor_of(customer),
        assistant=default_assistant(),
        channel=Channel.API,
        language=language or Tenant.objects.values_list("default_language", flat=True).get(id=current_tenant_id()),
    )
    return conversation


def ask_in_conversation(
    conversation_id: UUID, *, body: object, client_id: UUID, parameters: RequestParameters
) -> PostedMessage:
    """Store the customer's message and queue the answer, in the tenant in scope; a repeated `client_id` changes nothing.

    Raises NotFound, ConversationClosed, NotAProgramsConversation, InvalidInput or MessageTooLong.
    """
    text = clean_body(body)
    conversation: Conversation | None = (
        Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id, deleted_at__isnull=True).first()
    )
    if conversation is None:
        raise NotFound
    if conversation.channel != Channel.API:
        raise NotAProgramsConversation
    existing = Message.objects.filter(conversation=conversation, client_id=client_id).first()
    if existing is not None:
        return PostedMessage(
            conversation, existing, Reply.objects.filter(question=existing, purpose=ReplyPurpose.ANSWER).first()
        )
    if conversation.status == ConversationStatus.CLOSED:
        raise ConversationClosed
    message = append_message(
        conversation, author=Author.CUSTOMER, body=text, language=detect_language(text), client_id=client_id
    )
    is_answered = conversation.status == ConversationStatus.AI
    reply = queue_reply(conversation, message, parameters=parameters) if is_answered else None
    return PostedMessage(conversation, message, reply)


def clean_reference(reference: str) -> str:
    """What a program calls a customer. Raises InvalidInput."""
    if len(reference) > REFERENCE_CHARACTERS or not reference.isprintable():
        raise InvalidInput(
            _("“customer” takes at most %(limit)d printable characters.") % {"limit": REFERENCE_CHARACTERS},
            parameter="customer",
        )
    return reference


def visitor_of(customer: str) -> Visitor:
    """The visitor that a program's reference stands for in the tenant in scope; an empty one is somebody new."""
    if not customer:
        created: Visitor = Visitor.objects.create()
        return created
    visitor: Visitor = Visitor.objects.get_or_create(reference=clean_reference(customer))[0]
    Visitor.objects.filter(id=visitor.id).update(last_seen_at=timezone.now())
    return visitor

"""A message on its way in: what is asked, in which conversation, and how it is to be answered. One maker for each door.

Nothing here touches the database; what a person wrote is checked here, so that no door can leave it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from conversations.models import Assistant, Author, Channel, PriorityClass
from conversations.parameters import RequestParameters
from conversations.validation import clean_body
from knowledge.text import detect_language

# Who said it, and what.
Turn = tuple[Author, str]


@dataclass(frozen=True, slots=True)
class CurrentConversation:
    """The visitor's open conversation, or a new one when there is none."""

    visitor_id: UUID


@dataclass(frozen=True, slots=True)
class ThisConversation:
    """The one with that id."""

    conversation_id: UUID


@dataclass(frozen=True, slots=True)
class NewConversation:
    """A new one, of somebody new when no visitor is named, with the tenant's own assistant when none is.

    `earlier` is what was said in it before, elsewhere.
    """

    visitor_id: UUID | None = None
    assistant: Assistant | None = None
    earlier: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """`client_id` is the sender's own name for the message: the same one again changes nothing.

    The reply fails when it is not written within `deadline_seconds`.
    """

    tenant_id: UUID
    channel: Channel
    conversation: CurrentConversation | ThisConversation | NewConversation
    body: str
    language: str
    client_id: UUID | None = None
    parameters: RequestParameters
    priority_class: PriorityClass = PriorityClass.INTERACTIVE
    deadline_seconds: float


def from_visitor(*, tenant_id: UUID, visitor_id: UUID, client_id: UUID, body: object, language: str) -> Inbound:
    """What a customer wrote in the widget. Raises InvalidInput or MessageTooLong."""
    return Inbound(
        tenant_id=tenant_id,
        channel=Channel.WIDGET,
        conversation=CurrentConversation(visitor_id),
        body=clean_body(body),
        language=language,
        client_id=client_id,
        parameters=RequestParameters(),
        deadline_seconds=settings.REPLY_DEADLINE_SECONDS,
    )


def from_api_client(
    *, tenant_id: UUID, conversation_id: UUID, client_id: UUID, body: object, parameters: RequestParameters
) -> Inbound:
    """What other software asks for its customer, in a conversation of its own. Raises InvalidInput or MessageTooLong."""
    text = clean_body(body)
    return Inbound(
        tenant_id=tenant_id,
        channel=Channel.API,
        conversation=ThisConversation(conversation_id),
        body=text,
        language=detect_language(text),
        client_id=client_id,
        parameters=parameters,
        deadline_seconds=settings.REPLY_DEADLINE_SECONDS,
    )


def from_chat(
    *, tenant_id: UUID, visitor_id: UUID, assistant: Assistant, turns: Sequence[Turn], parameters: RequestParameters
) -> Inbound:
    """A chat that other software sends whole, its last turn the question; its reader has checked the texts."""
    *earlier, (_, question) = turns
    return Inbound(
        tenant_id=tenant_id,
        channel=Channel.API,
        conversation=NewConversation(visitor_id, assistant, tuple(earlier)),
        body=question,
        language=detect_language(question),
        parameters=parameters,
        deadline_seconds=settings.REPLY_DEADLINE_SECONDS,
    )


def from_batch(
    *,
    tenant_id: UUID,
    visitor_id: UUID,
    assistant: Assistant,
    turns: Sequence[Turn],
    language: str,
    parameters: RequestParameters,
) -> Inbound:
    """An item of a batch job, its last turn the question; its reader has checked the texts."""
    *earlier, (_, question) = turns
    return Inbound(
        tenant_id=tenant_id,
        channel=Channel.BATCH,
        conversation=NewConversation(visitor_id, assistant, tuple(earlier)),
        body=question,
        language=language,
        parameters=parameters,
        priority_class=PriorityClass.BATCH,
        deadline_seconds=settings.BATCH_DEADLINE_SECONDS,
    )


def from_shell(*, tenant_id: UUID, body: object, language: str, parameters: RequestParameters) -> Inbound:
    """A question of the operator's, for a command or a measurement. Raises InvalidInput or MessageTooLong."""
    return Inbound(
        tenant_id=tenant_id,
        channel=Channel.SHELL,
        conversation=NewConversation(),
        body=clean_body(body),
        language=language,
        parameters=parameters,
        deadline_seconds=settings.REPLY_DEADLINE_SECONDS,
    )

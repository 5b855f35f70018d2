"""Who writes, and who has the conversation: visitors, taking over, handing back, closing.

How messages come in is in `conversations.intake`, how one comes to wait for a person in `conversations.replies`.
"""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from conversations import replies
from conversations.channels import rules_of
from conversations.events import record_status
from conversations.failures import FailureCode
from conversations.models import Author, Conversation, ConversationStatus, Message, Parked, Visitor
from conversations.transcript import append_message
from conversations.validation import clean_body, clean_reference
from helpdesk.errors import Conflict, NotFound
from helpdesk.facts.kinds import SYSTEM, Actor, ActorKind
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User


def begin_visit(tenant_id: UUID, visitor_id: UUID | None = None) -> UUID:
    """The visitor's id: the given one when it still exists, else a new visitor's."""
    with tenant_atomic(tenant_id):
        if visitor_id and Visitor.objects.filter(id=visitor_id).update(last_seen_at=timezone.now()):
            return visitor_id
        created: Visitor = Visitor.objects.create()
        return created.id


def visitor_of(customer: str) -> Visitor:
    """The visitor that an API client's reference stands for in the tenant in scope; an empty one is somebody new.

    Raises InvalidInput for a reference that cannot be one.
    """
    if not customer:
        created: Visitor = Visitor.objects.create()
        return created
    visitor: Visitor = Visitor.objects.get_or_create(reference=clean_reference(customer))[0]
    Visitor.objects.filter(id=visitor.id).update(last_seen_at=timezone.now())
    return visitor


def post_person_message(*, tenant_id: UUID, conversation_id: UUID, user: User, body: object) -> Message:
    """Send a person's reply: takes ownership in the same step and stops the assistant.

    Raises Conflict when the conversation is closed, NotFound when it is not the tenant's or nobody would read it.
    """
    text = clean_body(body)
    with tenant_atomic(tenant_id):
        conversation = Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id).first()
        if conversation is None or not rules_of(conversation.channel).admits_people:
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
        person = Actor(ActorKind.USER, str(user.id))
        record_status(conversation_id, ConversationStatus.PERSON, actor=person, assignee_id=user.id)
        return message


def hand_back_to_assistant(*, tenant_id: UUID, conversation_id: UUID, actor: Actor = SYSTEM) -> None:
    """Let the assistant answer the customer's next message again."""
    with tenant_atomic(tenant_id):
        changed = Conversation.objects.filter(
            id=conversation_id, status__in=[ConversationStatus.PERSON, ConversationStatus.WAITING]
        ).update(status=ConversationStatus.AI, assignee=None, waiting_since=None)
        if changed:
            record_status(conversation_id, ConversationStatus.AI, actor=actor)


def close_conversation(*, tenant_id: UUID, conversation_id: UUID, actor: Actor = SYSTEM) -> None:
    """End the conversation; the visitor's next message begins another."""
    with tenant_atomic(tenant_id):
        conversation = Conversation.objects.filter(id=conversation_id).first()
        if conversation is None:
            raise NotFound
        changed = (
            Conversation.objects.filter(id=conversation_id)
            .exclude(status=ConversationStatus.CLOSED)
            .update(status=ConversationStatus.CLOSED, waiting_since=None, parked=Parked.NO, wakes_at=None)
        )
        if changed:
            replies.stop_replies(conversation, code=FailureCode.STOPPED)
            record_status(conversation_id, ConversationStatus.CLOSED, actor=actor)

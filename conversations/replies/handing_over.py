"""Letting a conversation wait for a person: by the customer's button, or with the answer to a message that asks for one."""

from __future__ import annotations

from django.utils import timezone

from conversations.events import record_status
from conversations.failures import FailureCode
from conversations.models import Author, Conversation, ConversationStatus
from conversations.replies.ends import stop_replies
from conversations.transcript import append_message
from helpdesk.facts.kinds import Actor, ActorKind


def queue_for_person(conversation: Conversation, language: str) -> None:
    """Let it wait for a person, if the assistant had it; the assistant stops. Runs inside the caller's transaction."""
    changed = Conversation.objects.filter(id=conversation.id, status=ConversationStatus.AI).update(
        status=ConversationStatus.WAITING, waiting_since=timezone.now()
    )
    if changed:
        stop_replies(conversation, code=FailureCode.STOPPED)
        append_message(conversation, author=Author.SYSTEM, body="person_requested", language=language)
        customer = Actor(ActorKind.CUSTOMER, str(conversation.visitor_id))
        record_status(conversation.id, ConversationStatus.WAITING, actor=customer)
    conversation.refresh_from_db()

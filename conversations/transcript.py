"""Adding to a conversation's transcript: the one place where messages of an ongoing conversation are numbered."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from conversations.channels import rules_of
from conversations.events import record_stage
from conversations.finding import note_words
from conversations.models import Author, Conversation, Message, Parked, Stage
from helpdesk.facts.kinds import AI, SYSTEM, Actor, ActorKind, FactKind
from helpdesk.facts.recording import record


def append_message(conversation: Conversation, *, author: Author, body: str, **fields: Any) -> Message:
    """Add a transcript entry under the conversation's lock and record it. Runs inside the caller's transaction.

    A customer's message opens what was set aside.
    """
    locked: Conversation = Conversation.objects.select_for_update(no_key=True).get(id=conversation.id)
    locked.message_count += 1
    locked.last_message_at = timezone.now()
    locked.last_author = author
    locked.preview = " ".join(body.split())[:160]
    wakes = author == Author.CUSTOMER and locked.parked != Parked.NO
    if wakes:
        locked.parked, locked.wakes_at = Parked.NO, None
    locked.save(update_fields=["message_count", "last_message_at", "last_author", "preview", "parked", "wakes_at"])
    message: Message = Message.objects.create(
        conversation=locked, position=locked.message_count, author=author, body=body, **fields
    )
    record(
        FactKind.MESSAGE_POSTED, conversation_id=locked.id, subject_id=message.id, actor=_writer(message, locked),
        position=message.position, author=str(author), channel=locked.channel,
    )  # fmt: skip
    if wakes:
        record_stage(locked.id, Stage.OPEN, actor=_writer(message, locked))
    if author != Author.SYSTEM and rules_of(locked.channel).admits_people:
        note_words(locked.id, body)
    return message


def _writer(message: Message, conversation: Conversation) -> Actor:
    match message.author:
        case Author.CUSTOMER:
            return Actor(ActorKind.CUSTOMER, str(conversation.visitor_id))
        case Author.PERSON:
            return Actor(ActorKind.USER, str(message.user_id or ""))
        case Author.AI:
            return AI
    return SYSTEM

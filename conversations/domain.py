"""Who writes, and who has the conversation: visitors, taking over, handing back, closing and opening again.

How messages come in is in `conversations.intake`, how one comes to wait for a person in `conversations.replies`.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations import replies, surveys
from conversations.channels import rules_of
from conversations.entries import StatusChanged, to_plain
from conversations.errors import AlreadyTaken, AnsweredMeanwhile, NewerConversation
from conversations.events import record_status
from conversations.failures import FailureCode
from conversations.models import (
    Author,
    Conversation,
    ConversationStatus,
    HandOff,
    HandOffEnd,
    HandOffReason,
    Message,
    Parked,
    Visitor,
)
from conversations.publishing import publish_softly
from conversations.resuming import answer_what_is_open
from conversations.transcript import append_event, append_message
from conversations.validation import clean_body, clean_reference
from helpdesk.errors import Conflict, NotFound
from helpdesk.facts.kinds import SYSTEM, Actor, ActorKind, user_actor
from helpdesk.permissions import Right
from helpdesk.streams.entries import conversation_stream
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from helpdesk.users.email_addresses import canonical
from helpdesk.users.models import User

# What ends the hold on the assistant's answers (`conversations.hand_off.writing`).
NOBODY_WRITES: dict[str, Any] = {"writer": None, "writer_until": None}


def begin_visit(tenant_id: UUID, visitor_id: UUID | None = None) -> UUID:
    """The visitor's id: the given one when it still exists, else a new visitor's."""
    with tenant_atomic(tenant_id):
        if visitor_id and Visitor.objects.filter(id=visitor_id).update(last_seen_at=timezone.now()):
            return visitor_id
        created: Visitor = Visitor.objects.create()
        return created.id


def set_context(tenant_id: UUID, visitor_id: UUID, context: dict[str, str]) -> None:
    """What the page around the chat says of itself, in the place of what was said before. Nobody has proven it."""
    with tenant_atomic(tenant_id):
        Visitor.objects.filter(id=visitor_id).update(context=context)


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


def leave_email(*, tenant_id: UUID, conversation_id: UUID, visitor_id: UUID, address: str) -> None:
    """Keep where the customer wants to be answered. Raises InvalidInput, NotFound for a conversation that is not theirs."""
    email = canonical(address)
    with tenant_atomic(tenant_id):
        rows = Conversation.objects.filter(id=conversation_id, visitor_id=visitor_id, deleted_at__isnull=True)
        conversation: Conversation | None = rows.select_for_update(no_key=True).first()
        if conversation is None or conversation.status == ConversationStatus.CLOSED:
            raise NotFound
        if Visitor.objects.filter(id=visitor_id).exclude(answer_email=email).update(answer_email=email):
            append_event(conversation, "email_left")
        # The customer's tabs show that there is one now.
        news = {conversation_stream(tenant_id, conversation_id): to_plain(StatusChanged())}
        transaction.on_commit(partial(publish_softly, news))


@needs(Right.REPLY)
def post_person_message(
    *, tenant_id: UUID, conversation_id: UUID, user: User, body: object, seen: int | None = None
) -> Message:
    """Send a person's reply: takes ownership in the same step and stops the assistant.

    `seen` is the position of the last message that the writer knows: AnsweredMeanwhile is raised when somebody else has
    answered behind it. Raises Conflict when the conversation is closed, NotFound when it is not the tenant's or nobody
    would read it.
    """
    text = clean_body(body)
    with tenant_atomic(tenant_id):
        conversation = _locked(conversation_id)
        if conversation.status == ConversationStatus.CLOSED:
            raise Conflict
        if seen is not None:
            _refuse_when_answered(conversation, user, seen)
        _own(conversation, user)
        replies.stop_replies(conversation, code=FailureCode.SUPERSEDED)
        replies.end_hand_off(conversation, HandOffEnd.TAKEN, user_id=user.id)
        message = append_message(
            conversation, author=Author.PERSON, body=text, user=user, language=conversation.language
        )
        record_status(conversation_id, ConversationStatus.PERSON, actor=user_actor(user), assignee_id=user.id)
        return message


@needs(Right.REPLY)
def take_conversation(*, tenant_id: UUID, conversation_id: UUID, user: User) -> None:
    """Make it the person's own. Of several who take it at once one has it, the others get AlreadyTaken.

    Raises Conflict when it is closed, NotFound when it is not the tenant's or nobody would read an answer.
    """
    with tenant_atomic(tenant_id):
        conversation = _locked(conversation_id)
        if conversation.status == ConversationStatus.CLOSED:
            raise Conflict
        if conversation.status == ConversationStatus.PERSON and conversation.assignee_id is not None:
            if conversation.assignee_id != user.id:
                raise AlreadyTaken(str(conversation.assignee))
            return
        _own(conversation, user)
        replies.stop_replies(conversation, code=FailureCode.SUPERSEDED)
        replies.end_hand_off(conversation, HandOffEnd.TAKEN, user_id=user.id)
        append_event(conversation, "taken", user_id=user.id)
        record_status(conversation_id, ConversationStatus.PERSON, actor=user_actor(user), assignee_id=user.id)


@needs(Right.REPLY)
def hand_back_to_assistant(*, tenant_id: UUID, conversation_id: UUID, actor: Actor = SYSTEM) -> bool:
    """Let the assistant answer again: what the customer wrote last, if nobody has answered that, else the next message.

    Returns whether it answers at once.
    """
    return _back_to_assistant(tenant_id, conversation_id, HandOffEnd.HANDED_BACK, "handed_back", actor)


def cancel_wait(*, tenant_id: UUID, conversation_id: UUID, visitor_id: UUID) -> bool:
    """The customer waits no longer and has the assistant answer again; False when they were not waiting."""
    actor = Actor(ActorKind.CUSTOMER, str(visitor_id))
    with tenant_atomic(tenant_id):
        rows = Conversation.objects.filter(id=conversation_id, visitor_id=visitor_id, status=ConversationStatus.WAITING)
        if not rows.select_for_update(no_key=True).values_list("id").first():
            return False
        _back_to_assistant(tenant_id, conversation_id, HandOffEnd.CANCELLED, "wait_cancelled", actor)
        return True


def leave_conversation(*, tenant_id: UUID, conversation_id: UUID, visitor_id: UUID) -> None:
    """The customer begins another one, and is asked nothing about this one."""
    actor = Actor(ActorKind.CUSTOMER, str(visitor_id))
    with tenant_atomic(tenant_id):
        close_conversation(tenant_id=tenant_id, conversation_id=conversation_id, actor=actor, asks=False)
        surveys.stop_asking(conversation_id)


def say_solved(*, tenant_id: UUID, conversation_id: UUID, visitor_id: UUID) -> None:
    """The customer needs nothing more. Raises NotFound for a conversation that is not theirs."""
    with tenant_atomic(tenant_id):
        if not Conversation.objects.filter(id=conversation_id, visitor_id=visitor_id).exists():
            raise NotFound
        actor = Actor(ActorKind.CUSTOMER, str(visitor_id))
        close_conversation(tenant_id=tenant_id, conversation_id=conversation_id, actor=actor, event="solved")


@needs(Right.REPLY)
def close_conversation(
    *, tenant_id: UUID, conversation_id: UUID, actor: Actor = SYSTEM, event: str = "closed", asks: bool = True
) -> None:
    """End the conversation; the visitor's next message begins another. `asks`: the customer is asked how it went."""
    with tenant_atomic(tenant_id):
        conversation = Conversation.objects.filter(id=conversation_id).first()
        if conversation is None:
            raise NotFound
        changed = (
            Conversation.objects.filter(id=conversation_id)
            .exclude(status=ConversationStatus.CLOSED)
            .update(
                status=ConversationStatus.CLOSED,
                waiting_since=None,
                alarmed_at=None,
                parked=Parked.NO,
                wakes_at=None,
                **NOBODY_WRITES,
            )
        )
        if changed:
            replies.stop_replies(conversation, code=FailureCode.STOPPED)
            replies.end_hand_off(conversation, HandOffEnd.CLOSED)
            append_event(conversation, event, user_id=_user_id(actor))
            if asks:
                surveys.ask_how_it_went(conversation)
            record_status(conversation_id, ConversationStatus.CLOSED, actor=actor)


@needs(Right.REPLY)
def reopen_conversation(*, tenant_id: UUID, conversation_id: UUID, user: User, is_undo: bool = False) -> None:
    """Open a closed conversation again as the person's own; an undo gives it to whoever had it.

    Raises NewerConversation when the customer has begun another, and Conflict when it is not closed.
    """
    with tenant_atomic(tenant_id):
        conversation = _locked(conversation_id)
        if conversation.status != ConversationStatus.CLOSED or conversation.deleted_at is not None:
            raise Conflict
        others = Conversation.objects.filter(visitor_id=conversation.visitor_id, created_at__gt=conversation.created_at)
        if others.exclude(status=ConversationStatus.CLOSED).exists():
            raise NewerConversation
        owner = conversation.assignee if is_undo else user
        status = ConversationStatus.AI if owner is None else ConversationStatus.PERSON
        Conversation.objects.filter(id=conversation_id).update(status=status, assignee=owner)
        append_event(conversation, "reopened", user_id=user.id)
        record_status(conversation_id, status, actor=user_actor(user), assignee_id=owner.id if owner else None)
        waited = HandOff.objects.filter(conversation_id=conversation_id).order_by("-began_at").first()
        if owner is None and waited is not None and waited.end == HandOffEnd.CLOSED:
            replies.hand_over(conversation, reason=HandOffReason(waited.reason), language=conversation.language)


def _locked(conversation_id: UUID) -> Conversation:
    """The conversation under its lock. Raises NotFound, also where no person may write."""
    # Nothing joined: after waiting for the lock, PostgreSQL reads the row anew, but what was joined to it as it was before.
    rows = Conversation.objects.select_for_update(no_key=True)
    conversation: Conversation | None = rows.filter(id=conversation_id).first()
    if conversation is None or not rules_of(conversation.channel).admits_people:
        raise NotFound
    return conversation


def _own(conversation: Conversation, user: User) -> None:
    Conversation.objects.filter(id=conversation.id).update(
        status=ConversationStatus.PERSON, assignee=user, waiting_since=None, alarmed_at=None, **NOBODY_WRITES
    )


def _refuse_when_answered(conversation: Conversation, user: User, seen: int) -> None:
    """Raises AnsweredMeanwhile when the assistant or another person has said something behind that position."""
    behind = Message.objects.filter(conversation_id=conversation.id, position__gt=seen)
    said = behind.filter(author__in=[Author.AI, Author.PERSON]).exclude(user=user)
    taken = behind.filter(author=Author.SYSTEM, body="taken").exclude(user=user)
    found = (said | taken).select_related("user").order_by("-position").first()
    if found is not None:
        raise AnsweredMeanwhile(str(found.user) if found.user else _("The AI"))


def _back_to_assistant(tenant_id: UUID, conversation_id: UUID, end: HandOffEnd, event: str, actor: Actor) -> bool:
    with tenant_atomic(tenant_id):
        rows = Conversation.objects.filter(id=conversation_id)
        held = [ConversationStatus.PERSON, ConversationStatus.WAITING]
        changed = rows.filter(status__in=held).update(
            status=ConversationStatus.AI, assignee=None, waiting_since=None, alarmed_at=None, **NOBODY_WRITES
        )
        if not changed:
            return False
        conversation = rows.select_related("assistant").get()
        replies.end_hand_off(conversation, end)
        append_event(conversation, event, user_id=_user_id(actor))
        record_status(conversation_id, ConversationStatus.AI, actor=actor)
        return answer_what_is_open(conversation) is not None


def _user_id(actor: Actor) -> int | None:
    return int(actor.id) if actor.kind is ActorKind.USER else None

"""The one way in: whatever is asked, here its conversation, message and reply are made, in one transaction.

Who asks for a person waits for one from that transaction on: no worker takes part, and none has to live.

What Redis knows of the queue is read before that transaction: while Redis hangs, nobody waits for a lock that its reader holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from conversations.admission import admit, read_queue
from conversations.channels import rules_of
from conversations.domain import visitor_of
from conversations.errors import ConversationClosed, NotAnApiConversation
from conversations.inbound import CurrentConversation, Inbound, NewConversation, ThisConversation, Turn
from conversations.models import (
    Assistant,
    Author,
    Channel,
    Conversation,
    ConversationStatus,
    Message,
    Reply,
    ReplyPurpose,
    Visitor,
)
from conversations.queries import default_assistant, history_before
from conversations.replies import queue_for_person, queue_reply
from conversations.transcript import append_message
from conversations.wishes import wants_person
from helpdesk.errors import NotFound
from helpdesk.queue.lengths import QueueSnapshot
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import current_tenant_id, tenant_atomic


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """The stored message; `reply` is None when a person has to answer, or was just asked for."""

    conversation: Conversation
    message: Message
    reply: Reply | None


def receive(inbound: Inbound, *, queue: QueueSnapshot | None = None) -> PostedMessage:
    """Store the message and queue the assistant's reply; a repeated `client_id` returns the rows that there are.

    Inside a transaction of the caller's, `queue` has to be what `read_queue` said before it; without one it is read here.
    Nothing is stored when this raises NotFound, ConversationClosed, NotAnApiConversation or, when the queue is full, Busy.
    """
    queue = queue or read_queue(inbound.priority_class)
    with tenant_atomic(inbound.tenant_id):
        match inbound.conversation:
            case CurrentConversation(visitor_id):
                return _receive_in_current(visitor_id, inbound, queue)
            case ThisConversation(conversation_id):
                return _receive_in(conversation_id, inbound, queue)
            case NewConversation(visitor_id, assistant, earlier):
                begun = _begin(
                    visitor_id=visitor_id or visitor_of("").id,
                    assistant=assistant or default_assistant(),
                    channel=inbound.channel,
                    language=inbound.language,
                    earlier=earlier,
                )
                return _post(begun, inbound, queue)


def begin_conversation(*, customer: str = "", language: str = "") -> Conversation:
    """A conversation that other software holds for its customer, in the tenant in scope; nothing was said in it yet.

    `customer` ties it to the others of that customer. Raises InvalidInput for a reference that cannot be one.
    """
    tenants = Tenant.objects.filter(id=current_tenant_id())
    visitor = visitor_of(customer)
    begun = _begin(
        visitor_id=visitor.id,
        assistant=default_assistant(),
        channel=Channel.API,
        language=language or tenants.values_list("default_language", flat=True).get(),
    )
    begun.visitor = visitor
    return begun


def ask_for_person(*, tenant_id: UUID, visitor_id: UUID, language: str) -> Conversation:
    """Queue the visitor's conversation for a person; asking twice changes nothing."""
    with tenant_atomic(tenant_id):
        _lock_visitor(visitor_id)
        conversation = _current_or_new(visitor_id, Channel.WIDGET, language)
        queue_for_person(conversation, language)
        return conversation


def _receive_in_current(visitor_id: UUID, inbound: Inbound, queue: QueueSnapshot) -> PostedMessage:
    _lock_visitor(visitor_id)
    # Under the lock: of two that arrive at once, the second one finds the first one's rows.
    known = Message.objects.filter(conversation__visitor_id=visitor_id, client_id=inbound.client_id)
    if inbound.client_id is not None and (posted := _posted(known.select_related("conversation").first())):
        return posted
    return _post(_current_or_new(visitor_id, inbound.channel, inbound.language), inbound, queue)


def _receive_in(conversation_id: UUID, inbound: Inbound, queue: QueueSnapshot) -> PostedMessage:
    rows = Conversation.objects.select_for_update(no_key=True, of=("self",)).select_related("assistant")
    conversation: Conversation | None = rows.filter(id=conversation_id, deleted_at__isnull=True).first()
    if conversation is None:
        raise NotFound
    if not rules_of(conversation.channel).is_open_to_api_clients:
        raise NotAnApiConversation
    known = Message.objects.filter(conversation=conversation, client_id=inbound.client_id)
    if inbound.client_id is not None and (posted := _posted(known.select_related("conversation").first())):
        return posted
    if conversation.status == ConversationStatus.CLOSED:
        raise ConversationClosed
    return _post(conversation, inbound, queue)


def _posted(message: Message | None) -> PostedMessage | None:
    if message is None:
        return None
    answers = Reply.objects.filter(question=message, purpose=ReplyPurpose.ANSWER)
    return PostedMessage(message.conversation, message, answers.first())


def _post(conversation: Conversation, inbound: Inbound, queue: QueueSnapshot) -> PostedMessage:
    message = append_message(
        conversation,
        author=Author.CUSTOMER,
        body=inbound.body,
        language=inbound.language,
        client_id=inbound.client_id,
    )
    if conversation.status != ConversationStatus.AI:
        return PostedMessage(conversation, message, None)
    if _asks_for_person(conversation, inbound, message):
        queue_for_person(conversation, inbound.language)
        return PostedMessage(conversation, message, None)
    admission = admit(inbound.priority_class, queue)
    reply = queue_reply(
        conversation,
        message,
        priority_class=inbound.priority_class,
        priority=admission.priority,
        wait_seconds=admission.wait_seconds,
        parameters=inbound.parameters,
        deadline_seconds=inbound.deadline_seconds,
    )
    return PostedMessage(conversation, message, reply)


def _asks_for_person(conversation: Conversation, inbound: Inbound, message: Message) -> bool:
    """Whether the message is the wish for a person, in a conversation that goes on and in which people answer.

    Whoever sends a whole chat waits for its answer, and gets one from the worker; the model alone is asked for no person.
    """
    goes_on = not isinstance(inbound.conversation, NewConversation)
    if not (goes_on and inbound.parameters.grounded and rules_of(conversation.channel).admits_people):
        return False
    return wants_person(inbound.body, before=lambda: next(iter(history_before(message, limit=1)), None))


def _current_or_new(visitor_id: UUID, channel: Channel, language: str) -> Conversation:
    """The visitor's open conversation, locked, so that nobody closes it or takes it over meanwhile."""
    rows = Conversation.objects.select_for_update(no_key=True, of=("self",)).select_related("assistant")
    open_ones = rows.filter(visitor_id=visitor_id).exclude(status=ConversationStatus.CLOSED)
    current: Conversation | None = open_ones.order_by("-created_at").first()
    return current or _begin(visitor_id=visitor_id, assistant=default_assistant(), channel=channel, language=language)


def _lock_visitor(visitor_id: UUID) -> None:
    if not Visitor.objects.select_for_update(no_key=True).filter(id=visitor_id).values_list("id").first():
        raise NotFound


def _begin(
    *, visitor_id: UUID, assistant: Assistant, channel: Channel, language: str, earlier: Sequence[Turn] = ()
) -> Conversation:
    conversation: Conversation = Conversation.objects.create(
        visitor_id=visitor_id, assistant=assistant, channel=channel, language=language, message_count=len(earlier)
    )
    if earlier:
        Message.objects.bulk_create(
            Message(conversation=conversation, position=position, author=author, body=body, language=language)
            for position, (author, body) in enumerate(earlier, 1)
        )
    return conversation

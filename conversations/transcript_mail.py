"""The conversation by mail, when the customer asks for it. The relay of facts sends it; no task or fact holds any of it."""

from __future__ import annotations

from uuid import UUID

from conversations.models import Author, Conversation, Message, Visitor
from conversations.transcript import append_event
from helpdesk.errors import NotFound
from helpdesk.facts.kinds import Actor, ActorKind, FactKind
from helpdesk.facts.recording import record
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.email_addresses import canonical


def request_transcript(*, tenant_id: UUID, visitor_id: UUID, conversation_id: UUID, address: str) -> None:
    """Send it to that address, which from now on is the one that answers go to. Raises InvalidInput for none, NotFound for a
    conversation that is not the visitor's, or in which nobody answered: what strangers wrote is sent to nobody.
    """
    email = canonical(address)
    with tenant_atomic(tenant_id):
        rows = Conversation.objects.filter(id=conversation_id, visitor_id=visitor_id, deleted_at__isnull=True)
        conversation: Conversation | None = rows.select_for_update(no_key=True).first()
        answered = Message.objects.filter(conversation_id=conversation_id, author__in=[Author.AI, Author.PERSON])
        if conversation is None or not answered.exists():
            raise NotFound
        Visitor.objects.filter(id=visitor_id).update(answer_email=email)
        append_event(conversation, "transcript_sent")
        record(
            FactKind.TRANSCRIPT_REQUESTED, conversation_id=conversation_id,
            actor=Actor(ActorKind.CUSTOMER, str(visitor_id)),
        )  # fmt: skip

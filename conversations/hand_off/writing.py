"""A person begins to write: the assistant holds its answers back, and the others who look at the conversation see it.

The hold runs out by itself, so that nothing has to be undone by a browser that went away.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from conversations.channels import rules_of
from conversations.entries import InboxChanged, StatusChanged, to_plain
from conversations.models import Conversation, ConversationStatus
from conversations.publishing import publish_softly
from conversations.replies import hold_replies, resume_replies
from helpdesk.errors import NotFound
from helpdesk.permissions import Right
from helpdesk.streams.entries import conversation_stream, inbox_stream
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from helpdesk.users.models import User

# A browser says it again well within that time, as long as somebody types.
WRITING_SECONDS = 20


@needs(Right.REPLY)
def begin_writing(*, tenant_id: UUID, conversation_id: UUID, user: User) -> User | None:
    """Note that the person is writing; returns who else was first and still is. Raises NotFound."""
    with tenant_atomic(tenant_id):
        conversation = _locked(conversation_id)
        if conversation.status == ConversationStatus.CLOSED:
            return None
        now = timezone.now()
        is_held = conversation.writer_until is not None and conversation.writer_until > now
        if is_held and conversation.writer_id not in (None, user.id):
            other: User | None = conversation.writer
            return other
        until = now + timedelta(seconds=WRITING_SECONDS)
        Conversation.objects.filter(id=conversation_id).update(writer=user, writer_until=until)
        if conversation.status == ConversationStatus.AI:
            hold_replies(conversation, until=until)
        _tell(tenant_id, conversation_id, also_inbox=not is_held)
        return None


@needs(Right.REPLY)
def end_writing(*, tenant_id: UUID, conversation_id: UUID, user: User) -> None:
    """The person gave up what they were writing: the assistant goes on. Nothing changes while another one is writing."""
    with tenant_atomic(tenant_id):
        conversation = _locked(conversation_id)
        rows = Conversation.objects.filter(id=conversation_id, writer=user)
        if rows.update(writer=None, writer_until=None):
            resume_replies(conversation)
            _tell(tenant_id, conversation_id, also_inbox=True)


def _locked(conversation_id: UUID) -> Conversation:
    # Nothing joined: after waiting for the lock, PostgreSQL reads the row anew, but what was joined to it as it was before.
    rows = Conversation.objects.select_for_update(no_key=True)
    conversation: Conversation | None = rows.filter(id=conversation_id, deleted_at__isnull=True).first()
    if conversation is None or not rules_of(conversation.channel).admits_people:
        raise NotFound
    return conversation


def _tell(tenant_id: UUID, conversation_id: UUID, *, also_inbox: bool) -> None:
    entries = {conversation_stream(tenant_id, conversation_id): to_plain(StatusChanged())}
    if also_inbox:
        entries[inbox_stream(tenant_id)] = to_plain(InboxChanged(conversation=conversation_id))
    transaction.on_commit(partial(publish_softly, entries))

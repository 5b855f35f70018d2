"""Deleting one conversation: its words go, and its traces' content with them; the chain keeps ids, times and numbers.

The rows stay, emptied, because the chain links them. When the customer has no other conversation their keys are destroyed
too, so that nothing opens from a copy of the database either. Runs inside `tenant_atomic`.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations.models import (
    Conversation,
    ConversationStatus,
    ConversationText,
    Draft,
    Labelling,
    Message,
    Note,
    Parked,
    Reply,
    Seen,
    Survey,
    Visitor,
)
from conversations.queries import conversation_by_id
from conversations.replies import end_replies_of_deleted
from conversations.surveys import blank_survey_comments
from conversations.written_about import blank_written_about
from helpdesk.api.idempotency import forget_answers_about
from helpdesk.streams.entries import conversation_stream
from helpdesk.streams.writer import forget_stream
from helpdesk.tenants.scope import current_tenant_id
from tracing.chain import append_to_chain, locked_head
from tracing.erase import erase_customer
from tracing.holds import HeldByLaw, active_holds
from tracing.models import DeletionKind, DeletionReceipt, Trace, TraceAnalysis

logger = structlog.get_logger(__name__)


def forget_conversation(conversation_id: UUID) -> None:
    """Delete it for good. Raises NotFound, or HeldByLaw while a legal hold keeps it."""
    # In the order of whoever stores an answer: the conversation, then the chain, whose lock keeps holds and erasures out.
    Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id).first()
    conversation = conversation_by_id(conversation_id)
    locked_head()
    if active_holds().filter(conversation=conversation).exists():
        raise HeldByLaw
    end_replies_of_deleted(conversation)
    _empty(conversation)
    _blank_traces(conversation)
    if not Conversation.objects.filter(visitor_id=conversation.visitor_id, deleted_at__isnull=True).exists():
        erase_customer(conversation.visitor)
        Visitor.objects.filter(id=conversation.visitor_id).update(reference="", answer_email="", told={})
    forget_answers_about(conversation.id)
    stream = conversation_stream(current_tenant_id(), conversation.id)
    transaction.on_commit(partial(forget_stream, stream))
    logger.info("conversation_deleted", conversation_id=str(conversation.id))


def _empty(conversation: Conversation) -> None:
    Message.objects.filter(conversation=conversation).update(body="", sources=[])
    blank_written_about(Reply.objects.filter(conversation=conversation))
    blank_survey_comments(Survey.objects.filter(conversation=conversation))
    Note.objects.filter(conversation=conversation).delete()
    ConversationText.objects.filter(conversation=conversation).delete()
    Labelling.objects.filter(conversation=conversation).delete()
    Draft.objects.filter(conversation=conversation).delete()
    Seen.objects.filter(conversation=conversation).delete()
    Conversation.objects.filter(id=conversation.id).update(
        status=ConversationStatus.CLOSED, waiting_since=None, preview="", message_count=0, deleted_at=timezone.now(),
        parked=Parked.NO, wakes_at=None,
    )  # fmt: skip


def _blank_traces(conversation: Conversation) -> None:
    """Empty both sections and leave a receipt for each class, as retention does."""
    traces = Trace.objects.filter(conversation=conversation)
    analyses = TraceAnalysis.objects.filter(trace__conversation=conversation).exclude(sealed=b"")
    prompts = _places(traces.filter(~Q(sealed_prompt=b"") & ~Q(format=1)))
    answers = _places(traces.exclude(sealed=b"")) + _places(analyses)
    traces.update(sealed=b"", sealed_prompt=b"")
    analyses.update(sealed=b"")
    for kind, places in ((DeletionKind.PROMPTS, prompts), (DeletionKind.ANSWERS, sorted(answers))):
        if places:
            append_to_chain(_receipt(kind, places, conversation))


def _places(rows: QuerySet[Any]) -> list[tuple[int, UUID]]:
    return list(rows.order_by("sequence").values_list("sequence", "id"))


def _receipt(kind: DeletionKind, places: list[tuple[int, UUID]], conversation: Conversation) -> DeletionReceipt:
    return DeletionReceipt(
        kind=kind.value,
        subject=conversation.id,
        count=len(places),
        first_sequence=places[0][0],
        last_sequence=places[-1][0],
        runs=[[sequence, sequence, ""] for sequence, _row_id in places],
        ids_digest=sha256(b"".join(row_id.bytes for _sequence, row_id in places)).hexdigest(),
        policy={"conversation": str(conversation.id)},
        at=timezone.now(),
    )

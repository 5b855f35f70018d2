"""The steps of a reply's life: queue, claim, keep alive, finish, give back. Its other ends are in `ends`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from conversations.events import record_reply
from conversations.metrics import count_reply
from conversations.models import (
    Author,
    Conversation,
    ConversationStatus,
    HandOffReason,
    Message,
    Outcome,
    PriorityClass,
    Reply,
    ReplyPurpose,
    ReplyStatus,
    TextFormat,
)
from conversations.parameters import RequestParameters, without_words
from conversations.queries import history_before
from conversations.replies.handing_over import hand_over
from conversations.replies.holding import seconds_held
from conversations.replies.reasons import reason_of_answer
from conversations.replies.sending import send_task, send_task_for
from conversations.transcript import append_message
from helpdesk.facts.kinds import AI, FactKind
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.tenants.scope import current_tenant_id, tenant_atomic


@dataclass(frozen=True, slots=True)
class ClaimedReply:
    """A reply that this worker, and no other, is to write; with what it needs to know."""

    tenant_id: UUID
    reply: Reply
    question: Message
    conversation: Conversation
    history: list[Message]


@dataclass(frozen=True, slots=True)
class Answer:
    """The final text of an AI answer with what the transcript shows of it.

    `hands_over`: it tells the customer to wait for a person, and the conversation does so from the same moment.
    """

    body: str
    language: str
    outcome: Outcome
    sources: list[dict[str, Any]] = field(default_factory=list)
    confidence_band: str = ""
    seconds: float = 0.0
    cache: str = ""
    format: str = TextFormat.PLAIN
    kind: str = ""
    hands_over: bool = False
    while_indexing: bool = False


class ReplyLost(Exception):
    """The reply is no longer this worker's: it was failed or given back meanwhile. Whoever has it now sees to it."""


class TakenOver(ReplyLost):
    """A person answers now, so that this reply has to end."""


def queue_reply(
    conversation: Conversation,
    question: Message,
    *,
    priority_class: PriorityClass,
    priority: int,
    wait_seconds: int | None,
    parameters: RequestParameters,
    deadline_seconds: float,
) -> Reply:
    """Have the assistant answer this message, as it was admitted. Runs inside the caller's transaction."""
    reply: Reply = Reply.objects.create(
        conversation=conversation,
        question=question,
        priority_class=priority_class,
        priority=priority,
        parameters=parameters.to_json(),
        deadline_at=timezone.now() + timedelta(seconds=deadline_seconds),
    )
    note(Kind.REPLIES)
    tenant_id, model = current_tenant_id(), conversation.assistant.model
    record_reply(FactKind.REPLY_QUEUED, reply, conversation.channel, wait_seconds=wait_seconds)
    send_task_for(tenant_id, reply.id, model=model, priority=priority)
    return reply


def claim_reply(*, tenant_id: UUID, reply_id: UUID, worker: str) -> ClaimedReply | None:
    """Take a queued reply; None when it is not queued any more (another worker has it, or it is finished), or held back."""
    with tenant_atomic(tenant_id):
        queued = Reply.objects.filter(id=reply_id, status=ReplyStatus.QUEUED)
        # The conversation's lock first, as everywhere: what happens in it is recorded in the order of the commits.
        rows = queued.select_related("question", "conversation__assistant")
        reply: Reply | None = rows.select_for_update(no_key=True, of=("conversation",)).first()
        if reply is None:
            return None
        if reply.purpose == ReplyPurpose.ANSWER and (held := seconds_held(reply.conversation.writer_until)):
            # A person is writing: the task comes again when the hold runs out, also if the person has gone by then.
            queued.update(queued_at=timezone.now())
            send_task(tenant_id, reply_id, delay=held)
            return None
        now = timezone.now()
        claim = {
            "status": ReplyStatus.RUNNING,
            "attempt": reply.attempt + 1,
            "worker": worker,
            "claimed_at": now,
            "lease_until": now + timedelta(seconds=settings.REPLY_LEASE_SECONDS),
            # Whose settings this attempt uses: those that were just read, whatever anybody saves meanwhile.
            "assistant": reply.conversation.assistant,
            "assistant_version": reply.conversation.assistant.version,
        }
        if not queued.filter(attempt=reply.attempt).update(**claim):
            return None
        for name, value in claim.items():
            setattr(reply, name, value)
        record_reply(FactKind.REPLY_BEGUN, reply, reply.conversation.channel, actor=AI)
        return ClaimedReply(tenant_id, reply, reply.question, reply.conversation, _history(reply))


def _history(reply: Reply) -> list[Message]:
    """A model that is asked alone gets every message; answers from articles need the last few."""
    is_grounded = reply.parameters.get("grounded", True)
    return history_before(reply.question) if is_grounded else history_before(reply.question, limit=None)


def renew_leases(*, tenant_id: UUID, reply_ids: Iterable[UUID], worker: str) -> list[UUID]:
    """Say that this worker is still writing these replies; returns those that somebody has stopped."""
    with tenant_atomic(tenant_id):
        mine = Reply.objects.filter(id__in=list(reply_ids), status=ReplyStatus.RUNNING, worker=worker)
        mine.update(lease_until=timezone.now() + timedelta(seconds=settings.REPLY_LEASE_SECONDS))
        return list(mine.filter(stop_requested=True).values_list("id", flat=True))


def is_stopped(reply_id: UUID) -> bool:
    """Whether somebody has stopped the reply; runs inside `tenant_atomic`."""
    return bool(Reply.objects.filter(id=reply_id, stop_requested=True).exists())


def finish_reply(reply: Reply, answer: Answer) -> Message:
    """Store the answer; runs inside the caller's `tenant_atomic`, so that the trace commits with it.

    Raises ReplyLost when the reply is not this attempt's any more, TakenOver when a person answers; nothing is stored.
    """
    conversation = Conversation.objects.select_for_update(no_key=True).get(id=reply.conversation_id)
    finished = Reply.objects.filter(id=reply.id, status=ReplyStatus.RUNNING, attempt=reply.attempt).update(
        status=ReplyStatus.DONE, finished_at=timezone.now(), lease_until=None, parameters=without_words()
    )
    if not finished:
        raise ReplyLost
    if conversation.status == ConversationStatus.PERSON:
        raise TakenOver
    message = append_message(
        conversation,
        author=Author.AI,
        body=answer.body,
        language=answer.language,
        outcome=answer.outcome,
        kind=answer.kind,
        sources=answer.sources,
        confidence_band=answer.confidence_band,
        cache=answer.cache,
        format=answer.format,
        while_indexing=answer.while_indexing,
        seconds=answer.seconds,
    )
    Reply.objects.filter(id=reply.id).update(answer=message)
    record_reply(
        FactKind.REPLY_DONE, reply, conversation.channel, actor=AI, message_id=message.id, outcome=str(answer.outcome)
    )
    transaction.on_commit(partial(count_reply, outcome=str(answer.outcome), channel=conversation.channel))
    reason = HandOffReason.REQUESTED if answer.hands_over else _reason(reply, conversation, answer)
    if reason is not None:
        hand_over(conversation, reason=reason, language=answer.language, reply=reply)
    return message


def _reason(reply: Reply, conversation: Conversation, answer: Answer) -> HandOffReason | None:
    return reason_of_answer(
        reply, conversation, outcome=answer.outcome, kind=answer.kind, confidence_band=answer.confidence_band
    )


def release_reply(*, tenant_id: UUID, reply_id: UUID, attempt: int, delay: float = 0.0) -> bool:
    """Give a running reply back to the queue, to be fetched after `delay` seconds; False when its attempts are used up."""
    with tenant_atomic(tenant_id):
        released = Reply.objects.filter(
            id=reply_id, status=ReplyStatus.RUNNING, attempt=attempt, attempt__lt=settings.REPLY_MAX_ATTEMPTS
        ).update(status=ReplyStatus.QUEUED, lease_until=None, queued_at=timezone.now())
        if released:
            send_task(tenant_id, reply_id, delay=delay)
        return bool(released)


def send_reply_again(tenant_id: UUID, reply: Reply) -> None:
    """Enqueue a reply whose task was lost, unless it was claimed or sent again since it was read.

    The new time in the queue keeps one whose task is lost each time from being sent at every sweep.
    """
    with tenant_atomic(tenant_id):
        rows = Reply.objects.filter(id=reply.id, status=ReplyStatus.QUEUED, queued_at=reply.queued_at)
        if rows.update(queued_at=timezone.now()):
            send_task(tenant_id, reply.id)

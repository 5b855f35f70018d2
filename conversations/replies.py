"""The life of a reply in the database: claim, keep alive, finish, fail, recover. All by conditional UPDATE."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from conversations import events
from conversations.domain import append_message
from conversations.metrics import FAILED, count_reply
from conversations.models import (
    Author,
    Conversation,
    ConversationStatus,
    Message,
    Outcome,
    Reply,
    ReplyStatus,
    TextFormat,
)
from conversations.parameters import without_words
from conversations.queries import history_before
from conversations.tasks import enqueue_reply
from helpdesk.queue.lengths import replies_in_line
from helpdesk.tenants.scope import current_tenant_id, tenant_atomic

logger = structlog.get_logger(__name__)

LOST_TASK_SECONDS = 10
OPEN = (ReplyStatus.QUEUED, ReplyStatus.RUNNING)


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
    """The final text of an AI answer with what the transcript shows of it."""

    body: str
    language: str
    outcome: Outcome
    sources: list[dict[str, Any]] = field(default_factory=list)
    confidence_band: str = ""
    seconds: float = 0.0
    cache: str = ""
    format: str = TextFormat.PLAIN


class ReplyLost(Exception):
    """The reply is no longer this worker's: it was failed or given back meanwhile. Whoever has it now sees to it."""


class TakenOver(ReplyLost):
    """A person answers now, so that this reply has to end."""


def claim_reply(*, tenant_id: UUID, reply_id: UUID, worker: str) -> ClaimedReply | None:
    """Take a queued reply; None when it is not queued any more (another worker has it, or it is finished)."""
    with tenant_atomic(tenant_id):
        now = timezone.now()
        claimed = Reply.objects.filter(id=reply_id, status=ReplyStatus.QUEUED).update(
            status=ReplyStatus.RUNNING,
            attempt=F("attempt") + 1,
            worker=worker,
            claimed_at=now,
            lease_until=now + timedelta(seconds=settings.REPLY_LEASE_SECONDS),
        )
        if not claimed:
            return None
        reply = Reply.objects.select_related("question", "conversation__assistant").get(id=reply_id)
        _name_the_assistant(reply)
        events.announce(tenant_id, reply.conversation_id, events.reply_begun(reply.id, reply.attempt))
        return ClaimedReply(tenant_id, reply, reply.question, reply.conversation, _history(reply))


def _name_the_assistant(reply: Reply) -> None:
    """Whose settings this attempt uses: those that were just read, whatever anybody saves meanwhile."""
    assistant = reply.conversation.assistant
    reply.assistant, reply.assistant_version = assistant, assistant.version
    reply.save(update_fields=["assistant", "assistant_version"])


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


def is_stopped(reply: Reply) -> bool:
    """Whether somebody has stopped the reply; runs inside `tenant_atomic`."""
    return bool(Reply.objects.filter(id=reply.id, stop_requested=True).exists())


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
        sources=answer.sources,
        confidence_band=answer.confidence_band,
        cache=answer.cache,
        format=answer.format,
        seconds=answer.seconds,
    )
    Reply.objects.filter(id=reply.id).update(answer=message)
    events.announce(current_tenant_id(), conversation.id, events.reply_done(reply.id, reply.attempt, message.id))
    return message


def fail_reply(
    *, tenant_id: UUID, reply_id: UUID, attempt: int | None, code: str, statuses: Iterable[ReplyStatus] = OPEN
) -> bool:
    """End a reply without an answer and tell the customer; False when it was in none of these states any more."""
    with tenant_atomic(tenant_id):
        rows = Reply.objects.filter(id=reply_id, status__in=list(statuses))
        if attempt is not None:
            rows = rows.filter(attempt=attempt)
        failed = rows.update(
            status=ReplyStatus.FAILED, error_code=code, finished_at=timezone.now(), lease_until=None,
            parameters=without_words(),
        )  # fmt: skip
        if failed:
            ended = Reply.objects.values_list("conversation_id", "conversation__channel").get(id=reply_id)
            conversation_id, channel = ended
            events.announce(tenant_id, conversation_id, events.reply_failed(reply_id, code))
            transaction.on_commit(lambda: count_reply(outcome=FAILED, channel=channel, reason=code))
        return bool(failed)


def release_reply(*, tenant_id: UUID, reply_id: UUID, attempt: int, delay: float = 0.0) -> bool:
    """Give a running reply back to the queue, to be taken after `delay` seconds; False when its attempts are used up."""
    with tenant_atomic(tenant_id):
        released = Reply.objects.filter(
            id=reply_id, status=ReplyStatus.RUNNING, attempt=attempt, attempt__lt=settings.REPLY_MAX_ATTEMPTS
        ).update(status=ReplyStatus.QUEUED, lease_until=None, queued_at=timezone.now())
        if released:
            rank = Reply.objects.values_list("rank", flat=True).get(id=reply_id)
            transaction.on_commit(lambda: enqueue_reply(tenant_id, reply_id, rank=rank, delay=delay))
        return bool(released)


def recover_replies(tenant_id: UUID) -> None:
    """Fail what is past its deadline, give back what a dead worker held, enqueue again what the queue lost."""
    with tenant_atomic(tenant_id):
        now = timezone.now()
        open_replies = Reply.objects.filter(status__in=OPEN)
        late = list(open_replies.filter(deadline_at__lt=now).exclude(_is_leased(now)))
        orphaned = list(open_replies.filter(status=ReplyStatus.RUNNING, lease_until__lt=now))
        lost = list(
            open_replies.filter(status=ReplyStatus.QUEUED, queued_at__lt=now - timedelta(seconds=LOST_TASK_SECONDS))
        )
    for reply in late:
        fail_reply(tenant_id=tenant_id, reply_id=reply.id, attempt=reply.attempt, code="deadline")
    expired = {reply.id for reply in late}
    for reply in orphaned:
        if reply.id in expired:
            continue
        if not release_reply(tenant_id=tenant_id, reply_id=reply.id, attempt=reply.attempt):
            fail_reply(tenant_id=tenant_id, reply_id=reply.id, attempt=reply.attempt, code="worker_lost")
    in_line = _in_line() if lost else set()
    for reply in lost:
        if reply.id not in expired and str(reply.id) not in in_line and _mark_enqueued(tenant_id, reply):
            enqueue_reply(tenant_id, reply.id, rank=reply.rank)


def _in_line() -> set[str]:
    """Replies whose tasks still wait; while Redis is away that is nobody, and sending fails as well."""
    try:
        return replies_in_line()
    except redis.RedisError as error:
        logger.warning("line_unknown", error=type(error).__name__)
        return set()


def _mark_enqueued(tenant_id: UUID, reply: Reply) -> bool:
    """Note the new time in the queue, so that a reply whose task was taken and lost is not sent at every sweep."""
    with tenant_atomic(tenant_id):
        rows = Reply.objects.filter(id=reply.id, status=ReplyStatus.QUEUED, queued_at=reply.queued_at)
        return bool(rows.update(queued_at=timezone.now()))


def _is_leased(now: Any) -> Q:
    return Q(status=ReplyStatus.RUNNING, lease_until__gte=now)

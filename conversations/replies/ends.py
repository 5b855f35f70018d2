"""The ends of a reply that has no answer: each is recorded and counted here, whoever brings it about."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from conversations.events import record_reply
from conversations.failures import FailureCode
from conversations.metrics import FAILED, count_reply
from conversations.models import Conversation, Reply, ReplyStatus
from conversations.parameters import without_words
from conversations.queries import IN_FLIGHT
from helpdesk.facts.kinds import FactKind
from helpdesk.streams.writer import ask_to_stop
from helpdesk.tenants.scope import tenant_atomic


def stop_reply(*, tenant_id: UUID, conversation_id: UUID, reply_id: UUID) -> None:
    """Ask the worker to stop writing; what it wrote is kept and marked. A finished reply is left alone."""
    with tenant_atomic(tenant_id):
        _stop(Reply.objects.filter(id=reply_id, conversation_id=conversation_id), FailureCode.STOPPED)


def stop_replies(conversation: Conversation, *, code: FailureCode) -> None:
    """Stop all of the conversation's replies. Runs inside the caller's transaction."""
    _stop(Reply.objects.filter(conversation=conversation), code)


def end_replies_of_deleted(conversation: Conversation) -> None:
    """End what is queued or being written and empty what callers wrote; a worker finds its reply ended and stores nothing.

    Runs inside the caller's transaction.
    """
    replies = Reply.objects.filter(conversation=conversation)
    for reply in end_unanswered(replies.filter(status__in=IN_FLIGHT), FailureCode.DELETED, stop_requested=True):
        transaction.on_commit(partial(ask_to_stop, reply.id))
    # Those that ended before too: an older version of the desk left their words where they were.
    replies.update(parameters=without_words())


def _stop(replies: QuerySet[Reply], code: FailureCode) -> None:
    """End those that still wait, and notify the workers of those that are being written."""
    end_unanswered(replies.filter(status=ReplyStatus.QUEUED), code, stop_requested=True)
    running = list(replies.filter(status=ReplyStatus.RUNNING).values_list("id", flat=True))
    replies.filter(id__in=running).update(stop_requested=True)
    for reply_id in running:
        transaction.on_commit(partial(ask_to_stop, reply_id))


def end_unanswered(replies: QuerySet[Reply], code: FailureCode, **fields: Any) -> list[Reply]:
    """End each of these that is still as it was chosen, record and count it; returns which. In the caller's scope."""
    ended = []
    rows = replies.select_related("conversation").order_by("queued_at")
    # The conversation's lock first, as everywhere: what happens in it is recorded in the order of the commits.
    for reply in list(rows.select_for_update(no_key=True, of=("conversation",))):
        if not replies.filter(id=reply.id).update(
            status=ReplyStatus.FAILED, error_code=code, finished_at=timezone.now(), lease_until=None,
            parameters=without_words(), **fields,
        ):  # fmt: skip
            continue
        channel = reply.conversation.channel
        record_reply(FactKind.REPLY_FAILED, reply, channel, code=str(code))
        transaction.on_commit(partial(count_reply, outcome=FAILED, channel=channel, reason=str(code)))
        ended.append(reply)
    return ended

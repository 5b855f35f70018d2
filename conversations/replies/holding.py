"""Holding the assistant back while a person is writing: what it has begun goes back to the queue, and nothing is fetched.

A hold runs out by itself; the answer is then written as if nothing had been.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Greatest
from django.utils import timezone

from conversations.models import Conversation, Reply, ReplyPurpose, ReplyStatus
from conversations.queries import IN_FLIGHT
from conversations.replies.sending import send_task
from helpdesk.streams.writer import ask_to_stop
from helpdesk.tenants.scope import current_tenant_id

# A worker fetches it a moment after the hold, so that it does not find it held.
MARGIN_SECONDS = 0.5


def hold_replies(conversation: Conversation, *, until: datetime) -> None:
    """Answers of this conversation wait until then, and have as long as ever after it. In the caller's transaction.

    What was written of one by now is dropped: the worker finds that the reply is not its own any more.
    """
    answers = Reply.objects.filter(conversation_id=conversation.id, purpose=ReplyPurpose.ANSWER, status__in=IN_FLIGHT)
    deadline = until + timedelta(seconds=settings.REPLY_DEADLINE_SECONDS)
    answers.update(deadline_at=Greatest("deadline_at", Value(deadline)))
    for reply_id in list(answers.filter(status=ReplyStatus.RUNNING).values_list("id", flat=True)):
        back = {"status": ReplyStatus.QUEUED, "lease_until": None, "queued_at": timezone.now()}
        if answers.filter(id=reply_id, status=ReplyStatus.RUNNING).update(**back):
            transaction.on_commit(partial(ask_to_stop, reply_id))
            send_task(current_tenant_id(), reply_id, delay=seconds_held(until))


def seconds_held(until: datetime | None) -> float:
    """For how long it is held from now on; 0 when it is not."""
    seconds = (until - timezone.now()).total_seconds() if until is not None else 0.0
    return seconds + MARGIN_SECONDS if seconds > 0 else 0.0


def resume_replies(conversation: Conversation) -> None:
    """Have what is held fetched now. In the caller's transaction."""
    held = Reply.objects.filter(conversation_id=conversation.id, purpose=ReplyPurpose.ANSWER, status=ReplyStatus.QUEUED)
    for reply_id in list(held.values_list("id", flat=True)):
        send_task(current_tenant_id(), reply_id)

"""Finding replies that nobody works on any more, and what is to become of each."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import redis
import structlog
from django.db.models import Q
from django.utils import timezone

from conversations.failures import FailureCode
from conversations.models import Reply, ReplyStatus
from conversations.queries import IN_FLIGHT
from conversations.replies import fail_reply, release_reply, send_reply_again
from helpdesk.queue.lengths import queued_reply_ids
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)

LOST_TASK_SECONDS = 10


def recover_replies(tenant_id: UUID) -> None:
    """Fail what is past its deadline, give back what a dead worker held, enqueue again what the queue lost."""
    with tenant_atomic(tenant_id):
        now = timezone.now()
        open_replies = Reply.objects.filter(status__in=IN_FLIGHT)
        late = list(open_replies.filter(deadline_at__lt=now).exclude(_is_leased(now)))
        orphaned = list(open_replies.filter(status=ReplyStatus.RUNNING, lease_until__lt=now))
        lost = list(
            open_replies.filter(status=ReplyStatus.QUEUED, queued_at__lt=now - timedelta(seconds=LOST_TASK_SECONDS))
        )
    for reply in late:
        fail_reply(tenant_id=tenant_id, reply_id=reply.id, attempt=reply.attempt, code=FailureCode.DEADLINE)
    expired = {reply.id for reply in late}
    for reply in orphaned:
        if reply.id in expired:
            continue
        if not release_reply(tenant_id=tenant_id, reply_id=reply.id, attempt=reply.attempt):
            fail_reply(tenant_id=tenant_id, reply_id=reply.id, attempt=reply.attempt, code=FailureCode.WORKER_LOST)
    queued_ids = _queued_ids() if lost else set()
    for reply in lost:
        if reply.id not in expired and str(reply.id) not in queued_ids:
            send_reply_again(tenant_id, reply)


def _queued_ids() -> set[str]:
    """Replies whose tasks still wait; while Redis is away that is nobody, and sending fails as well."""
    try:
        return queued_reply_ids()
    except redis.RedisError as error:
        logger.warning("queue_unknown", error=type(error).__name__)
        return set()


def _is_leased(now: datetime) -> Q:
    return Q(status=ReplyStatus.RUNNING, lease_until__gte=now)

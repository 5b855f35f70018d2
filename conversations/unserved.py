"""Replies whose assistant uses a model that no worker serves: they fail visibly instead of waiting for their deadline."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import redis
import structlog
from django.utils import timezone

from conversations.failures import FailureCode
from conversations.models import Reply, ReplyStatus
from conversations.replies import fail_reply
from helpdesk.queue.workers import served_models
from helpdesk.tenants.scope import tenant_atomic

logger = structlog.get_logger(__name__)

# A worker that was killed and started again reports its loading well within this time.
PATIENCE_SECONDS = 20


def fail_unserved_replies(tenant_id: UUID) -> int:
    """Fail what has waited for an absent model for PATIENCE_SECONDS; returns how many. The first model is waited for."""
    asked_before = timezone.now() - timedelta(seconds=PATIENCE_SECONDS)
    with tenant_atomic(tenant_id):
        waiting = Reply.objects.filter(status=ReplyStatus.QUEUED, question__created_at__lt=asked_before)
        waiting = waiting.exclude(conversation__assistant__model="")
        chosen = list(waiting.values_list("id", "attempt", "conversation__assistant__model"))
    if not chosen:
        return 0
    try:
        served = {model.alias for model in served_models()}
    except redis.RedisError as error:
        logger.warning("served_models_unknown", error=type(error).__name__)
        return 0
    absent = [(reply_id, attempt) for reply_id, attempt, alias in chosen if alias not in served]
    return sum(
        fail_reply(tenant_id=tenant_id, reply_id=reply_id, attempt=attempt, code=FailureCode.MODEL_UNAVAILABLE)
        for reply_id, attempt in absent
    )

"""The end of a reply that could not be written: a person sees to its question then."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from conversations.failures import FailureCode
from conversations.models import Reply, ReplyStatus
from conversations.queries import IN_FLIGHT
from conversations.replies.ends import end_unanswered
from conversations.replies.handing_over import hand_over
from conversations.replies.reasons import reason_of_failure
from helpdesk.tenants.scope import tenant_atomic


def fail_reply(
    *,
    tenant_id: UUID,
    reply_id: UUID,
    attempt: int | None,
    code: FailureCode,
    statuses: Iterable[ReplyStatus] = IN_FLIGHT,
) -> bool:
    """End a reply without an answer; False when it was in none of these states any more.

    The customer reads that, and where the company's rules say so also that a person has been asked, in the same moment.
    """
    with tenant_atomic(tenant_id):
        rows = Reply.objects.filter(id=reply_id, status__in=list(statuses))
        ended = end_unanswered(rows if attempt is None else rows.filter(attempt=attempt), code)
        for reply in ended:
            reason = reason_of_failure(reply, reply.conversation, code)
            if reason is not None:
                hand_over(reply.conversation, reason=reason, language=reply.conversation.language, reply=reply)
        return bool(ended)

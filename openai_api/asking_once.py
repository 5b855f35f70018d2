"""`Idempotency-Key` on `/v1`: a request that is sent again follows the replies of the first one instead of queueing others.

What is kept is which replies were queued, never a word of them: a repeated request reads the answer where it stands, so that
a deletion takes it from both. It is kept in the transaction that queues them.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from chat_requests.chat_request import ChatRequest
from conversations.models import Reply
from helpdesk.api import idempotency
from helpdesk.api.errors import SERVERS_AWAY
from helpdesk.api_keys.domain import ApiClient
from helpdesk.tenants.scope import tenant_atomic
from openai_api.asking import QueuedChoices, ask
from openai_api.following import AskedReply


@dataclass(frozen=True, slots=True)
class Repeatable:
    """The key of a request, and what makes it the same one."""

    key: str
    digest: str


def ask_once(client: ApiClient, request: ChatRequest, repeatable: Repeatable) -> QueuedChoices:
    """Queue the answers, or find those that were queued for the same request before.

    Raises what `ask` does, and KeyReused, StillRunning, NotRepeatable or InvalidInput.
    """
    try:
        request_id = idempotency.claim(client, key=repeatable.key, digest=repeatable.digest)
    except idempotency.Replayed as known:
        return _found(client, json.loads(known.response.content))
    try:

        def keep(asked: QueuedChoices) -> None:
            idempotency.keep_answer(request_id, _kept(asked), subject=asked.replies[0].conversation_id)

        return ask(client, request, keep=keep)
    except BaseException:
        # While the database is away it stays in progress until its lease has run out.
        with suppress(*SERVERS_AWAY):
            idempotency.forget_request(client, key=repeatable.key)
        raise


def forget(client: ApiClient, repeatable: Repeatable, asked: QueuedChoices) -> None:
    """No answer came about: the same request may be tried again."""
    idempotency.forget_request(client, key=repeatable.key, body=_kept(asked))


def _kept(asked: QueuedChoices) -> str:
    return json.dumps(
        {"model": asked.model, "created": asked.created, "replies": [str(each.reply_id) for each in asked.replies]}
    )


def _found(client: ApiClient, kept: dict[str, object]) -> QueuedChoices:
    ids = [UUID(text) for text in kept["replies"]]  # type: ignore[attr-defined]
    with tenant_atomic(client.tenant_id):
        rows = Reply.objects.filter(conversation__deleted_at__isnull=True).in_bulk(ids)
    if len(rows) < len(ids):
        raise idempotency.NotRepeatable
    replies = tuple(
        AskedReply(client.tenant_id, rows[each].conversation_id, each, rows[each].deadline_at) for each in ids
    )
    return QueuedChoices(model=str(kept["model"]), replies=replies, created=int(str(kept["created"])), is_repeated=True)

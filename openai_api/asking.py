"""From a request to its conversations and queued replies: one of each for every choice."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from chat_requests.chat_request import ChatRequest
from conversations.admission import read_queue
from conversations.domain import visitor_of
from conversations.inbound import from_chat
from conversations.intake import receive
from conversations.parameters import RequestParameters
from conversations.replies import stop_reply
from helpdesk.api_keys.domain import ApiClient
from helpdesk.tenants.scope import tenant_atomic
from openai_api.catalogue import choose, warm_models
from openai_api.following import AskedReply

MAX_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class QueuedChoices:
    """The replies to wait for and the name of the model that is to write them; `created` is in seconds.

    `is_repeated` when they were queued for an earlier request with the same Idempotency-Key.
    """

    model: str
    replies: tuple[AskedReply, ...]
    created: int = 0
    is_repeated: bool = False


def ask(
    client: ApiClient, request: ChatRequest, *, keep: Callable[[QueuedChoices], None] | None = None
) -> QueuedChoices:
    """Store everything and queue the answers, or nothing: ModelNotFound, NoModelReady or Busy store nothing.

    `keep` notes in the same transaction what was asked.
    """
    # Both ask Redis, which may hang: before the transaction, whose locks others wait for.
    warm, queue = warm_models(), read_queue()
    with tenant_atomic(client.tenant_id):
        choice = choose(request.model, warm)
        visitor = visitor_of(request.customer)
        first_seed = _first_seed(request)
        posted = [
            receive(
                from_chat(
                    tenant_id=client.tenant_id,
                    visitor_id=visitor.id,
                    assistant=choice.assistant,
                    turns=[(turn.author, turn.body) for turn in request.turns],
                    parameters=request.parameters if first_seed is None else _seeded(request, first_seed + index),
                ),
                queue=queue,
            )
            for index in range(request.choices)
        ]
        replies = [each.reply for each in posted if each.reply is not None]
        asked = QueuedChoices(
            choice.model,
            tuple(AskedReply(client.tenant_id, each.conversation_id, each.id, each.deadline_at) for each in replies),
            int(time.time()),
        )
        if keep is not None:
            keep(asked)
    return asked


def stop(asked: QueuedChoices) -> None:
    """Nobody waits for these replies any more: end them, in the engine too."""
    for each in asked.replies:
        stop_reply(tenant_id=each.tenant_id, conversation_id=each.conversation_id, reply_id=each.reply_id)


def _first_seed(request: ChatRequest) -> int | None:
    """Several choices have consecutive seeds, else they would all be the same text."""
    if request.choices == 1:
        return None
    return secrets.randbelow(MAX_SEED) if request.parameters.seed is None else request.parameters.seed


def _seeded(request: ChatRequest, seed: int) -> RequestParameters:
    return replace(request.parameters, seed=seed % (MAX_SEED + 1))

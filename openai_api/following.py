"""A request's replies as `/v1` follows them: text as it is written, then the answer as it is stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.utils import timezone

from conversations.entries import TextWritten
from conversations.failures import FailureCode
from conversations.followed import FollowedReply
from conversations.follower_events import Answered, Came, Failed, Quiet, ReplyEvent
from conversations.following import follow
from helpdesk.api_keys.domain import ApiClient
from openai_api.answers import ChatAnswer, read_answer
from openai_api.errors import of_failed_reply

# A worker may finish at the deadline itself, and the sweep fails what is late some seconds after it.
GRACE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class AskedReply:
    """A reply that a caller waits for."""

    tenant_id: UUID
    conversation_id: UUID
    reply_id: UUID
    deadline_at: datetime


async def follow_answer(
    client: ApiClient, asked: AskedReply, *, with_tokens: bool
) -> AsyncGenerator[TextWritten | ChatAnswer, None]:
    """Everything that is written of this reply, then the answer.

    Raises the error of a reply that failed, AnswerTooLate for one that is long overdue, or DatabaseError.
    """
    reply = FollowedReply(
        tenant_id=asked.tenant_id,
        conversation_id=asked.conversation_id,
        reply_id=asked.reply_id,
        read_answer=partial(read_answer, client, with_tokens=with_tokens),
    )
    seconds = (asked.deadline_at - timezone.now()).total_seconds() + GRACE_SECONDS
    followed: AsyncGenerator[ReplyEvent[ChatAnswer] | Quiet, None] = follow(
        reply, until=asyncio.get_running_loop().time() + seconds
    )
    async with contextlib.aclosing(followed) as events:
        async for event in events:
            match event:
                case Came(entry=TextWritten() as written):
                    yield written
                case Answered():
                    yield event.answer
                    return
                case Failed():
                    raise of_failed_reply(event.code)
    raise of_failed_reply(FailureCode.DEADLINE)

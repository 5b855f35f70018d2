"""A waiting caller learns how its reply ended from the stream, and from the row when the stream cannot tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from conversations import events
from conversations.entries import to_plain
from conversations.models import Reply, ReplyStatus
from helpdesk.streams.entries import conversation_stream
from helpdesk.streams.writer import client as redis_client
from helpdesk.streams.writer import publish
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from openai_api import following
from openai_api.following import AskedReply, Ended, Written, follow
from tests.factories import make_question, make_tenant
from tests.integration.inference_worker.test_answering import off_loop


@pytest.fixture
def asked(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[AskedReply]:
    """A reply that no worker takes."""
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.05)
    with patch("conversations.replies.steps.enqueue_reply"):
        tenant: Tenant = make_tenant()
        conversation, _, reply = make_question(tenant)
    assert reply is not None
    yield AskedReply(tenant.id, conversation.id, reply.id, reply.deadline_at)


def delta(asked: AskedReply, sequence: int, text: str, reply_id: object = None) -> None:
    entry = {
        "type": "delta",
        "reply": str(reply_id or asked.reply_id),
        "attempt": 1,
        "sequence": sequence,
        "text": text,
    }
    publish(conversation_stream(asked.tenant_id, asked.conversation_id), entry)


def settle(asked: AskedReply, **columns: object) -> None:
    with tenant_atomic(asked.tenant_id):
        Reply.objects.filter(id=asked.reply_id).update(**columns)


async def collected(asked: AskedReply) -> list[Written | Ended]:
    return [event async for event in follow(asked)]


async def test_what_was_written_before_and_the_end_come_from_the_stream(asked: AskedReply) -> None:
    delta(asked, 1, "Three")
    delta(asked, 1, "Another reply's.", reply_id=asked.tenant_id)
    delta(asked, 2, " days.")
    publish(
        conversation_stream(asked.tenant_id, asked.conversation_id),
        to_plain(events.reply_failed(asked.reply_id, "engine")),
    )
    assert await collected(asked) == [Written(1, 1, "Three"), Written(1, 2, " days."), Ended("engine")]


@pytest.mark.parametrize(
    ("columns", "ended"),
    [
        ({"status": ReplyStatus.DONE}, Ended()),
        ({"status": ReplyStatus.FAILED, "error_code": "context_length"}, Ended("context_length")),
    ],
)
async def test_an_end_that_the_stream_lost_is_found_in_the_row(
    asked: AskedReply, columns: dict[str, str], ended: Ended
) -> None:
    delta(asked, 1, "Three")
    waiting = follow(asked)
    assert await anext(waiting) == Written(1, 1, "Three")
    redis_client().delete(conversation_stream(asked.tenant_id, asked.conversation_id))
    await off_loop(settle)(asked, **columns)
    assert [event async for event in waiting] == [ended]


async def test_nobody_waits_much_longer_than_the_deadline(asked: AskedReply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "GRACE_SECONDS", 0.0)
    late = AskedReply(asked.tenant_id, asked.conversation_id, asked.reply_id, timezone.now() - timedelta(seconds=1))
    assert await collected(late) == [Ended("deadline")]


async def test_a_conversation_that_was_deleted_meanwhile_ends_the_wait(asked: AskedReply) -> None:
    gone = AskedReply(asked.tenant_id, asked.conversation_id, asked.tenant_id, asked.deadline_at)
    assert await collected(gone) == [Ended("stopped")]

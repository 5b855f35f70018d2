"""What `/v1` receives of a reply: text as it is written, then the stored answer, or an error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.utils import timezone

from conversations.entries import ReplyFailed, TextWritten, to_plain
from conversations.models import Reply, ReplyStatus
from helpdesk.api_keys.domain import ApiClient
from helpdesk.errors import GlassdeskError
from helpdesk.streams.entries import conversation_stream
from helpdesk.streams.writer import publish
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from openai_api import following
from openai_api.errors import AnswerFailed, AnswerTooLate, ContextLengthExceeded
from openai_api.following import AskedReply, follow_answer
from tests.factories import make_question, make_tenant
from tests.integration.inference_worker.test_answering import off_loop


@pytest.fixture
def asked(transactional_db: None) -> Iterator[AskedReply]:
    """A reply that no worker takes."""
    with patch("conversations.replies.sending.enqueue_reply"):
        tenant: Tenant = make_tenant()
        conversation, _, reply = make_question(tenant)
    assert reply is not None
    yield AskedReply(tenant.id, conversation.id, reply.id, reply.deadline_at)


async def received(asked: AskedReply) -> list[object]:
    """Everything that comes, the error at the end among it."""
    client = ApiClient(key_id=uuid4(), tenant_id=asked.tenant_id, scopes=frozenset(), requests_per_minute=None)
    found: list[object] = []
    try:
        async for event in follow_answer(client, asked, with_tokens=False):
            found.append(event)
    except GlassdeskError as error:
        found.append(type(error))
    return found


def settle(asked: AskedReply, **columns: object) -> None:
    with tenant_atomic(asked.tenant_id):
        Reply.objects.filter(id=asked.reply_id).update(**columns)


async def test_text_comes_as_it_was_written_and_a_failure_as_its_error(asked: AskedReply) -> None:
    stream = conversation_stream(asked.tenant_id, asked.conversation_id)
    first, second = (
        TextWritten(reply=asked.reply_id, attempt=1, sequence=number, text=text)
        for number, text in enumerate(["Three", " days."], start=1)
    )
    await off_loop(settle)(asked, status=ReplyStatus.FAILED, error_code="context_length")
    for entry in (first, second, ReplyFailed(reply=asked.reply_id, code="context_length")):
        publish(stream, to_plain(entry))
    assert await received(asked) == [first, second, ContextLengthExceeded]


async def test_a_caller_hears_that_the_deadline_has_passed_when_nobody_failed_the_reply(
    asked: AskedReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "GRACE_SECONDS", 0.0)
    late = AskedReply(asked.tenant_id, asked.conversation_id, asked.reply_id, timezone.now() - timedelta(seconds=1))
    assert await received(late) == [AnswerTooLate]


async def test_a_reply_that_ended_is_reported_however_long_its_deadline_has_passed(asked: AskedReply) -> None:
    await off_loop(settle)(asked, status=ReplyStatus.FAILED, error_code="context_length")
    late = AskedReply(asked.tenant_id, asked.conversation_id, asked.reply_id, timezone.now() - timedelta(hours=1))
    assert await received(late) == [ContextLengthExceeded]


async def test_an_answer_that_is_gone_already_is_an_error(asked: AskedReply) -> None:
    gone = AskedReply(asked.tenant_id, asked.conversation_id, asked.tenant_id, asked.deadline_at)
    assert await received(gone) == [AnswerFailed]

"""The one reader of streams: what followers receive, whatever goes away meanwhile. No worker takes the replies here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError

from conversations import followed, following
from conversations.domain import append_message
from conversations.entries import (
    AnswerStored,
    InboxChanged,
    MessagePosted,
    PhaseReached,
    ReplyBegun,
    ReplyFailed,
    StreamEntry,
    TextWritten,
    to_plain,
)
from conversations.followed import FollowedConversation, FollowedInbox, FollowedReply
from conversations.follower_events import Answered, Came, Failed, InboxNews, Posted, Quiet, Resumed, Snapshot
from conversations.following import follow
from conversations.models import Author, Conversation, Reply, ReplyStatus
from helpdesk.embedded.valkey import Valkey
from helpdesk.streams import hub as hub_module
from helpdesk.streams.entries import conversation_stream, inbox_stream
from helpdesk.streams.hub import hub
from helpdesk.streams.writer import client, publish
from helpdesk.tenants.scope import tenant_atomic
from tests.event_stream import in_thread
from tests.factories import make_question, make_tenant
from tests.integration.inference_worker.conftest import wait_for

SOON = 20.0


@dataclass(frozen=True)
class Question:
    """A question whose reply is queued."""

    tenant_id: UUID
    conversation_id: UUID
    reply_id: UUID

    @property
    def reply(self) -> FollowedReply[str]:
        return FollowedReply(
            tenant_id=self.tenant_id, conversation_id=self.conversation_id, reply_id=self.reply_id, read_answer=body_of
        )

    @property
    def conversation(self) -> FollowedConversation:
        return FollowedConversation(tenant_id=self.tenant_id, conversation_id=self.conversation_id)

    def write(self, *entries: StreamEntry) -> list[str]:
        """Put entries into the conversation's stream; returns their ids."""
        stream = conversation_stream(self.tenant_id, self.conversation_id)
        return [publish(stream, to_plain(entry)) for entry in entries]

    def text(self, sequence: int, text: str = "word ", *, attempt: int = 1) -> TextWritten:
        return TextWritten(reply=self.reply_id, attempt=attempt, sequence=sequence, text=text)

    def settle(self, **columns: Any) -> None:
        with tenant_atomic(self.tenant_id):
            Reply.objects.filter(id=self.reply_id).update(**columns)

    def answer(self, body: str) -> UUID:
        """Store the answer, and notify nobody."""
        with tenant_atomic(self.tenant_id):
            conversation = Conversation.objects.get(id=self.conversation_id)
            message = append_message(conversation, author=Author.AI, body=body, language="en")
            Reply.objects.filter(id=self.reply_id).update(status=ReplyStatus.DONE, attempt=1, answer=message)
            return message.id


def body_of(reply: Reply) -> str:
    assert reply.answer is not None
    return reply.answer.body


@pytest.fixture
def question(transactional_db: None) -> Iterator[Question]:
    with patch("conversations.replies.sending.enqueue_reply"):
        tenant = make_tenant()
        conversation, _, reply = make_question(tenant)
    assert reply is not None
    client().delete(conversation_stream(tenant.id, conversation.id), inbox_stream(tenant.id))
    yield Question(tenant.id, conversation.id, reply.id)


async def collected(target: Any, **options: Any) -> list[Any]:
    """Everything up to the end."""
    async with asyncio.timeout(SOON), aclosing(follow(target, **options)) as events:
        return [event async for event in events]


async def next_of(events: AsyncGenerator[Any, None]) -> Any:
    async with asyncio.timeout(SOON):
        return await anext(events)


async def has_begun(stream: str) -> None:
    """Wait until somebody follows the stream."""
    one = hub()
    await asyncio.to_thread(wait_for, lambda: stream in one.streams())


async def test_a_reply_is_followed_from_its_first_entry_to_its_answer(question: Question) -> None:
    entries = [
        ReplyBegun(reply=question.reply_id, attempt=1),
        PhaseReached(reply=question.reply_id, attempt=1, phase="writing", format="plain"),
        question.text(1),
    ]
    question.write(TextWritten(reply=uuid4(), attempt=1, sequence=1, text="Another reply's."))
    ids = question.write(*entries)
    message_id = await in_thread(question.answer)("Three days.")
    (last,) = question.write(AnswerStored(reply=question.reply_id, attempt=1, message_id=message_id))
    assert await collected(question.reply) == [
        *(Came(entry_id, entry) for entry_id, entry in zip(ids, entries, strict=True)),  # type: ignore[arg-type]
        Answered(last, question.reply_id, 1, "Three days."),
    ]


async def test_behind_the_last_entry_that_a_client_has_only_the_rest_follows(question: Question) -> None:
    ids = question.write(question.text(1), question.text(2))
    await in_thread(question.settle)(status=ReplyStatus.FAILED, error_code="engine")
    assert await collected(question.reply, after=ids[0]) == [
        Came(ids[1], question.text(2)),
        Failed(None, question.reply_id, 0, "engine"),
    ]


async def test_after_an_entry_that_is_not_held_any_more_a_reply_begins_anew(question: Question) -> None:
    ids = question.write(question.text(1))
    await in_thread(question.settle)(status=ReplyStatus.FAILED, error_code="engine")
    assert (await collected(question.reply, after="1-1"))[0] == Came(ids[0], question.text(1))


async def test_an_end_that_the_stream_lost_is_found_in_the_row(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.05)
    question.write(question.text(1))
    async with aclosing(follow(question.reply)) as events:
        assert isinstance(await next_of(events), Came)
        client().delete(conversation_stream(question.tenant_id, question.conversation_id))
        await in_thread(question.answer)("Three days.")
        assert await next_of(events) == Answered(None, question.reply_id, 1, "Three days.")
        with pytest.raises(StopAsyncIteration):
            await next_of(events)


async def test_an_entry_of_the_end_whose_row_says_otherwise_is_not_believed(question: Question) -> None:
    question.write(ReplyFailed(reply=question.reply_id, code="engine"), question.text(1))
    async with aclosing(follow(question.reply)) as events:
        assert (await next_of(events)).entry == question.text(1)


async def test_what_a_newer_worker_writes_is_passed_over(question: Question) -> None:
    stream = conversation_stream(question.tenant_id, question.conversation_id)
    publish(stream, {"type": "thought", "reply": str(question.reply_id)})
    publish(stream, to_plain(question.text(1)) | {"mood": "good"})
    async with aclosing(follow(question.reply)) as events:
        assert (await next_of(events)).entry == question.text(1)


async def test_a_reply_that_is_begun_anew_is_followed_through_both_attempts(question: Question) -> None:
    anew = ReplyBegun(reply=question.reply_id, attempt=2)
    question.write(question.text(1), anew, question.text(1, "Four", attempt=2))
    await in_thread(question.settle)(status=ReplyStatus.FAILED, attempt=2, error_code="worker_lost")
    *came, last = await collected(question.reply)
    assert [each.entry for each in came] == [question.text(1), anew, question.text(1, "Four", attempt=2)]
    assert last == Failed(None, question.reply_id, 2, "worker_lost")


async def test_a_reply_whose_conversation_is_gone_has_failed(question: Question) -> None:
    gone = FollowedReply(
        tenant_id=question.tenant_id,
        conversation_id=question.conversation_id,
        reply_id=uuid4(),
        read_answer=body_of,
    )
    assert await collected(gone) == [Failed(None, gone.reply_id, 0, "deleted")]


async def test_nobody_waits_longer_than_they_said(question: Question) -> None:
    question.write(question.text(1))
    until = asyncio.get_running_loop().time() + 0.2
    assert [each.entry for each in await collected(question.reply, until=until)] == [question.text(1)]


async def test_silence_is_reported_as_often_as_was_asked_for(question: Question) -> None:
    async with aclosing(follow(question.reply, heartbeat=0.02)) as events:
        assert [await next_of(events) for _ in range(3)] == [Quiet()] * 3


@pytest.mark.parametrize("times", [1, 3])
async def test_a_database_that_is_away_for_a_moment_costs_no_answer(
    question: Question, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.setattr(following, "RETRY_SECONDS", 0.01)
    message_id = await in_thread(question.answer)("Three days.")
    question.write(question.text(1), AnswerStored(reply=question.reply_id, attempt=1, message_id=message_id))
    outcomes: list[Exception] = [OperationalError()] * times

    def read(reply: Reply) -> str:
        if outcomes:
            raise outcomes.pop()
        return body_of(reply)

    reply = FollowedReply(
        tenant_id=question.tenant_id,
        conversation_id=question.conversation_id,
        reply_id=question.reply_id,
        read_answer=read,
    )
    first, last = await collected(reply)
    # What came before is not repeated.
    assert (first.entry, last.answer) == (question.text(1), "Three days.")


async def test_nobody_waits_for_ever_for_a_database(question: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RETRY_SECONDS", 0.01)

    def away(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(followed, "tenant_atomic", away)
    with pytest.raises(OperationalError):
        await collected(question.reply, until=asyncio.get_running_loop().time() + 0.1)


async def test_one_who_does_not_read_goes_on_where_they_stopped(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "QUEUE_LIMIT", 3)
    texts = [question.text(sequence) for sequence in range(1, 21)]
    question.write(texts[0])
    async with aclosing(follow(question.reply)) as events:
        came = [await next_of(events)]
        await in_thread(question.write)(*texts[1:])
        while len(came) < len(texts):
            came.append(await next_of(events))
    assert [each.entry for each in came] == texts


async def test_one_who_does_not_read_a_conversation_gets_it_as_it_is_now(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "QUEUE_LIMIT", 3)
    await in_thread(question.settle)(status=ReplyStatus.FAILED, error_code="engine")
    async with aclosing(follow(question.conversation)) as events:
        assert isinstance(await next_of(events), Snapshot)
        first = asyncio.ensure_future(anext(events))
        await has_begun(question.conversation.stream)
        await in_thread(question.write)(question.text(1))
        news: list[Any] = [await asyncio.wait_for(first, SOON)]
        await in_thread(question.write)(*[question.text(each) for each in range(2, 21)])
        while not isinstance(news[-1], Snapshot):
            news.append(await next_of(events))
    assert len(news) < 20


async def test_a_conversation_begins_before_the_first_entry_of_what_is_being_written(question: Question) -> None:
    (before,) = question.write(ReplyFailed(reply=uuid4(), code="engine"))
    (first,) = question.write(question.text(1))
    async with aclosing(follow(question.conversation)) as events:
        snapshot = await next_of(events)
        assert (snapshot.cursor, [reply["id"] for reply in snapshot.replies]) == (before, [str(question.reply_id)])
        assert await next_of(events) == Came(first, question.text(1))


async def test_the_end_of_what_was_asked_is_said_also_when_it_came_before_the_snapshot(question: Question) -> None:
    question.write(question.text(1))
    message_id = await in_thread(question.answer)("Three days.")
    (last,) = question.write(AnswerStored(reply=question.reply_id, attempt=1, message_id=message_id))
    async with aclosing(follow(replace(question.conversation, asked=question.reply_id))) as events:
        snapshot = await next_of(events)
        assert [message["id"] for message in snapshot.messages][-1] == str(message_id)
        ended = await next_of(events)
        assert (type(ended), ended.id, ended.reply) == (Answered, last, question.reply_id)


async def test_a_conversation_goes_on_behind_what_its_client_has(question: Question) -> None:
    first, second = question.write(question.text(1), question.text(2))
    async with aclosing(follow(question.conversation, after=first)) as events:
        assert await next_of(events) == Resumed(first)
        assert await next_of(events) == Came(second, question.text(2))


async def test_a_message_that_is_gone_is_passed_over(question: Question) -> None:
    async with aclosing(follow(question.conversation)) as events:
        snapshot = await next_of(events)
        (known,) = [message["id"] for message in snapshot.messages]
        await in_thread(question.write)(MessagePosted(message_id=uuid4()), MessagePosted(message_id=UUID(known)))
        posted = await next_of(events)
        assert isinstance(posted, Posted)
        assert posted.message["id"] == known


async def test_a_conversation_that_is_deleted_is_followed_no_longer(question: Question) -> None:
    missing = FollowedConversation(tenant_id=question.tenant_id, conversation_id=uuid4())
    assert await collected(missing) == []


async def test_an_inbox_tells_what_changes_from_now_on(question: Question) -> None:
    stream = inbox_stream(question.tenant_id)
    publish(stream, to_plain(InboxChanged(conversation=uuid4())))
    async with aclosing(follow(FollowedInbox(tenant_id=question.tenant_id))) as events:
        news = asyncio.ensure_future(anext(events))
        await has_begun(stream)
        await in_thread(publish)(stream, to_plain(InboxChanged(conversation=question.conversation_id)))
        assert await asyncio.wait_for(news, SOON) == InboxNews(question.conversation_id)


async def test_nothing_is_left_of_a_follower_who_left(question: Question) -> None:
    before = asyncio.all_tasks()
    for target in (question.reply, question.conversation):
        async with aclosing(follow(target, heartbeat=0.01)) as events:
            await next_of(events)
    assert hub().streams() == ()
    assert {task.get_name() for task in asyncio.all_tasks() - before} <= {"stream-hub"}


async def test_a_restart_of_valkey_in_the_middle_is_outlived_by_every_follower(
    question: Question, valkey_server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RETRY_SECONDS", 0.05)
    question.write(question.text(1))
    inbox = FollowedInbox(tenant_id=question.tenant_id)
    async with (
        aclosing(follow(question.reply)) as reply,
        aclosing(follow(question.conversation)) as conversation,
        aclosing(follow(inbox)) as news,
    ):
        assert isinstance(await next_of(reply), Came)
        assert [type(await next_of(conversation)) for _ in range(2)] == [Snapshot, Came]
        waiting = asyncio.ensure_future(anext(news))
        await has_begun(inbox.stream)
        await asyncio.to_thread(valkey_server.stop)
        message_id = await in_thread(question.answer)("Three days.")
        # Without a stream the row says how it ended.
        assert await next_of(reply) == Answered(None, question.reply_id, 1, "Three days.")
        # In this thread: the kernel ends the server with the thread that started it.
        valkey_server.start()
        snapshot = await next_of(conversation)
        while not isinstance(snapshot, Snapshot):
            snapshot = await next_of(conversation)
        assert snapshot.messages[-1]["id"] == str(message_id)
        assert await asyncio.wait_for(waiting, SOON) == InboxNews(None)

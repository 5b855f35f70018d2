"""Waiting for a request's answers, or passing them on as they are written: chunks in the order in which text arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from chat_requests.chat_request import ChatRequest
from conversations.entries import TextWritten
from helpdesk.api_keys.domain import ApiClient
from openai_api import completions
from openai_api.answers import ChatAnswer
from openai_api.asking import QueuedChoices
from openai_api.asking_once import Repeatable
from openai_api.completions import Heading, extras
from openai_api.errors import AnswerFailed, AnswerWithdrawn
from openai_api.following import follow_answer
from openai_api.sent_text import SentText, Withdrawn

# Chunks as they come, and each choice's task once it has ended.
Chunks = asyncio.Queue[bytes | asyncio.Task[ChatAnswer]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with the replies that were queued for it; `repeatable` when it may be sent again."""

    client: ApiClient
    request: ChatRequest
    asked: QueuedChoices
    heading: Heading
    repeatable: Repeatable | None = None


async def answers_of(exchange: Exchange) -> list[ChatAnswer]:
    """All answers, finished. Raises the error of the first that fails."""
    waiting = [asyncio.create_task(_answer_of(exchange, index)) for index in range(exchange.request.choices)]
    try:
        return await asyncio.gather(*waiting)
    finally:
        await _end(waiting)


async def chunks(exchange: Exchange) -> AsyncGenerator[bytes, None]:
    """Every event of the stream but the end marker. Raises the error of the first choice that fails."""
    queue: Chunks = asyncio.Queue()
    writers = [asyncio.create_task(_write(exchange, index, queue)) for index in range(exchange.request.choices)]
    for writer in writers:
        writer.add_done_callback(queue.put_nowait)
    answers: list[ChatAnswer] = []
    try:
        while len(answers) < len(writers):
            item = await queue.get()
            if isinstance(item, bytes):
                yield item
            else:
                answers.append(item.result())
    finally:
        await _end(writers)
    if exchange.request.include_usage:
        yield completions.usage_chunk(exchange.heading, answers)


async def _end(tasks: Sequence[asyncio.Task[ChatAnswer]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _followed(exchange: Exchange, index: int) -> AsyncGenerator[TextWritten | ChatAnswer, None]:
    with_tokens = exchange.request.logprobs is not None
    return follow_answer(exchange.client, exchange.asked.replies[index], with_tokens=with_tokens)


async def _answer_of(exchange: Exchange, index: int) -> ChatAnswer:
    async with contextlib.aclosing(_followed(exchange, index)) as events:
        async for event in events:
            if isinstance(event, ChatAnswer):
                return event
    raise AnswerFailed


async def _write(exchange: Exchange, index: int, queue: Chunks) -> ChatAnswer:
    """Put one choice's chunks into the queue; text that another attempt contradicts is followed by the final answer only."""
    sent, has_begun, is_withdrawn = SentText(), False, False
    heading, usage_follows = exchange.heading, exchange.request.include_usage

    def send(text: str) -> None:
        nonlocal has_begun
        if not has_begun:
            queue.put_nowait(completions.first_chunk(heading, index, usage_follows=usage_follows))
            has_begun = True
        if text:
            queue.put_nowait(completions.text_chunk(heading, index, text, usage_follows=usage_follows))

    async with contextlib.aclosing(_followed(exchange, index)) as events:
        async for event in events:
            if isinstance(event, ChatAnswer):
                send(_rest(sent, event))
                alternatives = exchange.request.logprobs
                queue.put_nowait(
                    completions.last_chunk(
                        heading, index, event, alternatives=alternatives, usage_follows=usage_follows
                    )
                )
                return event
            more = None if is_withdrawn else _more(sent, event)
            is_withdrawn = more is None
            if more:
                send(more)
    raise AnswerFailed


def _more(sent: SentText, written: TextWritten) -> str | None:
    """What to send next, possibly nothing; None when it would contradict what was sent."""
    try:
        return sent.add(attempt=written.attempt, sequence=written.sequence, text=written.text)
    except Withdrawn:
        return None


def _rest(sent: SentText, answer: ChatAnswer) -> str:
    try:
        return sent.finish(answer.text)
    except Withdrawn as error:
        raise AnswerWithdrawn(answer=answer.text, **extras(answer)) from error

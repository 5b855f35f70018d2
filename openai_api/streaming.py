"""Waiting for a request's answers, or passing them on as they are written: chunks in the order in which text arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import structlog
from django.db import InterfaceError, OperationalError

from chat_requests.chat_request import ChatRequest
from conversations.failures import FailureCode
from helpdesk.api_keys.domain import ApiClient
from helpdesk.tenants.off_loop import in_database
from openai_api import completions
from openai_api.answers import ChatAnswer, read_answer
from openai_api.asking import Asked
from openai_api.asking_once import Repeatable
from openai_api.completions import Heading, extras
from openai_api.errors import AnswerWithdrawn, of_failed_reply
from openai_api.following import GRACE_SECONDS, RETRY_SECONDS, Ended, Written, follow
from openai_api.sent_text import SentText, Withdrawn

logger = structlog.get_logger(__name__)

# Chunks as they come, and each choice's task once it has ended.
Chunks = asyncio.Queue[bytes | asyncio.Task[ChatAnswer]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with the replies that were queued for it; `repeatable` when it may be sent again."""

    client: ApiClient
    request: ChatRequest
    asked: Asked
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


async def _answer_of(exchange: Exchange, index: int) -> ChatAnswer:
    async with contextlib.aclosing(follow(exchange.asked.replies[index])) as events:
        async for event in events:
            if isinstance(event, Ended):
                return await _read(exchange, index, event)
    raise of_failed_reply(FailureCode.ENGINE)


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

    async with contextlib.aclosing(follow(exchange.asked.replies[index])) as events:
        async for event in events:
            if isinstance(event, Ended):
                answer = await _read(exchange, index, event)
                send(_rest(sent, answer))
                queue.put_nowait(
                    completions.last_chunk(
                        heading,
                        index,
                        answer,
                        alternatives=exchange.request.logprobs,
                        usage_follows=usage_follows,
                    )
                )
                return answer
            more = None if is_withdrawn else _more(sent, event)
            is_withdrawn = more is None
            if more:
                send(more)
    raise of_failed_reply(FailureCode.ENGINE)


def _more(sent: SentText, written: Written) -> str | None:
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


async def _read(exchange: Exchange, index: int, ended: Ended) -> ChatAnswer:
    """The stored answer. A database that is away for a moment costs no answer that is written already."""
    if ended.failure:
        raise of_failed_reply(ended.failure)
    with_tokens = exchange.request.logprobs is not None
    give_up_at = asyncio.get_running_loop().time() + GRACE_SECONDS
    while True:
        try:
            return await in_database(
                read_answer, exchange.client, exchange.asked.replies[index], with_tokens=with_tokens
            )
        except (OperationalError, InterfaceError) as error:
            if asyncio.get_running_loop().time() > give_up_at:
                raise
            logger.warning("answer_read_retry", error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

"""Answer and sealed trace, committed together."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from django.db import DatabaseError, connections
from django.utils import timezone

from conversations.failures import FailureCode
from conversations.models import Outcome, Reply, ReplyStatus
from conversations.replies import TakenOver, fail_reply, finish_reply
from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.means import Means
from inference_worker.answering.recording import Finished
from inference_worker.answering.results import Asked
from knowledge.cached_answers.answer_index import Pointer
from tracing.jobs import request_automatic
from tracing.record import TraceRecord, record_trace

STORE_ATTEMPTS = 8
STORE_RETRY_SECONDS = 1.0

Result = TypeVar("Result")


def store(store_once: Callable[[], Result]) -> Result:
    """Commit answer and trace together; a database that is away for some seconds is waited for."""
    for _ in range(1, STORE_ATTEMPTS):
        try:
            return store_once()
        except DatabaseError:
            connections.close_all()
            time.sleep(STORE_RETRY_SECONDS)
    return store_once()


def store_finished(reply: Reply, asked: Asked, done: Finished, means: Means) -> Pointer:
    """Store the answer and return where it stands. Raises ReplyLost, TakenOver or SealError.

    What a person was quicker than is no message, but its trace is kept: what the AI would have said, and why.
    """
    try:
        return _store(reply, asked, done, means)
    except TakenOver:
        with contextlib.suppress(SealError):
            _keep_discarded(reply, asked, done, means)
        raise


def _keep_discarded(reply: Reply, asked: Asked, done: Finished, means: Means) -> None:
    with tenant_atomic(asked.tenant_id):
        ended = fail_reply(
            tenant_id=asked.tenant_id,
            reply_id=reply.id,
            attempt=reply.attempt,
            code=FailureCode.SUPERSEDED,
            statuses=[ReplyStatus.RUNNING],
        )
        if ended:
            record_trace(reply, replace(_trace_record(asked, done, means), outcome=Outcome.STOPPED))


def _store(reply: Reply, asked: Asked, done: Finished, means: Means) -> Pointer:
    begun = means.steps.now_ms()
    with tenant_atomic(asked.tenant_id):
        seconds = round((timezone.now() - asked.asked_at).total_seconds(), 2)
        message = finish_reply(reply, replace(done.answer, seconds=seconds))
        means.steps.add("store", begun)
        trace = record_trace(reply, _trace_record(asked, done, means))
        # Nobody asks why of ten thousand answers at once.
        queue = means.settings.analysis_queue
        if queue is not None and done.is_measurable and not asked.is_unhurried:
            request_automatic(trace, queue=queue)
    return Pointer(trace.id, message.id)


def _trace_record(asked: Asked, done: Finished, means: Means) -> TraceRecord:
    return TraceRecord(
        content=replace(done.content, steps=tuple(means.steps.records)),
        outcome=done.answer.outcome,
        total_ms=means.steps.now_ms(),
        queue_ms=asked.waited_ms,
        retrieve_ms=means.steps.duration_of("retrieve"),
        first_token_ms=done.first_token_ms,
        finish_reason=done.finish_reason,
        cached_prompt_tokens=done.cached_prompt_tokens,
        saved_tokens=done.saved_tokens,
    )

"""Answer and sealed trace, committed together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from django.db import DatabaseError, connections
from django.utils import timezone

from conversations.models import Reply
from conversations.replies import finish_reply
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
    """Store the answer and return where it stands. Raises ReplyLost, TakenOver or SealError."""
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

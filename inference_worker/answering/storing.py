"""Answer and sealed trace, committed together."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from conversations.models import Outcome, TextFormat, format_of
from conversations.replies import Answer, finish_reply
from helpdesk.queue.celery import inference_queue
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.recording import Work, confidence, outcome_of, sources, trace_content, waited_ms
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


def store_written(work: Work) -> Pointer | None:
    """Store a newly written answer; returns where it stands when it may be given again: one that is complete."""
    reply, question = work.claimed.reply, work.claimed.question
    parts = confidence(work)
    begun = work.clock.now_ms()
    outcome = outcome_of(work)
    with tenant_atomic(work.claimed.tenant_id):
        message = finish_reply(
            reply,
            Answer(
                body=work.answer,
                language=work.language,
                outcome=outcome,
                sources=sources(work.quotes) if outcome is not Outcome.REFUSED else [],
                # Half an answer is not judged.
                confidence_band=parts.band if work.asked.grounded and outcome is not Outcome.STOPPED else "",
                seconds=round((timezone.now() - question.created_at).total_seconds(), 2),
                format=format_of(work.style) if work.generated else TextFormat.PLAIN,
            ),
        )
        work.clock.add("store", begun)
        trace = record_trace(reply, _trace_record(work, outcome))
        if settings.AUTOMATIC_ATTRIBUTION and _is_worth_measuring(work):
            request_automatic(trace, queue=inference_queue(settings.MODEL_NAME))
    is_complete = outcome is Outcome.ANSWERED and trace.finish_reason == "stop"
    return Pointer(trace.id, message.id) if is_complete else None


def _is_worth_measuring(work: Work) -> bool:
    """Whether the causes of the answer are measured unasked: there are articles, and nobody asked ten thousand at once."""
    return work.generated is not None and work.asked.grounded and not work.claimed.reply.is_unhurried


def _trace_record(work: Work, outcome: Outcome) -> TraceRecord:
    generated = work.generated
    first = [step for step in work.clock.steps if step.name == "first_token"]
    return TraceRecord(
        content=trace_content(work),
        outcome=outcome,
        total_ms=work.clock.now_ms(),
        queue_ms=waited_ms(work.claimed),
        retrieve_ms=work.clock.duration_of("retrieve"),
        first_token_ms=first[0].start_ms + first[0].duration_ms if first else None,
        finish_reason=(generated.finish_reason or "") if generated else "",
        cached_prompt_tokens=generated.cached_prompt_tokens if generated else 0,
    )

"""Giving an earlier answer again: streamed, with its sources, and with a trace of its own that names the original."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils import timezone

from conversations.models import Outcome
from conversations.replies import Answer, finish_reply
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.cache import Original
from inference_worker.answering.generation import DeadlinePassed, WorkerStopping
from inference_worker.answering.recording import Work, waited_ms
from inference_worker.answering.reply_stream import ReplyStream
from inference_worker.answering.stopping import StopSignal
from tracing.content import CachedAnswer, StepRecord, TraceContent
from tracing.models import AnswerKind
from tracing.record import TraceRecord, record_trace

STEP = "repeat"
# The customer sees that it is being written, and may stop it; together less than the blink of an eye.
PIECES = 10
PAUSE_SECONDS = 0.008


@dataclass(frozen=True, slots=True)
class Repeated:
    """What was streamed of the original, and whether the customer stopped it. `first_ms` counts from the claim."""

    text: str
    is_stopped: bool
    first_ms: float | None


def repeat(
    work: Work, original: Original, stream: ReplyStream, *, stop: StopSignal, is_stopping: Callable[[], bool]
) -> Repeated:
    """Stream the original's text. Raises WorkerStopping or DeadlinePassed."""
    text, first_ms = "", None
    with work.clock.step(STEP):
        for piece in _pieces(original.message.body):
            if stop.is_set:
                return Repeated(text.strip(), True, first_ms)
            if is_stopping():
                raise WorkerStopping
            if timezone.now() > work.claimed.reply.deadline_at:
                raise DeadlinePassed
            stream.add(piece)
            stream.flush()
            first_ms = work.clock.now_ms() if first_ms is None else first_ms
            text += piece
            time.sleep(PAUSE_SECONDS)
    return Repeated(text.strip(), False, first_ms)


def store_repeated(work: Work, original: Original, repeated: Repeated) -> None:
    """Commit answer and trace together. Raises ReplyLost, TakenOver or SealError."""
    reply, question = work.claimed.reply, work.claimed.question
    outcome = Outcome.STOPPED if repeated.is_stopped else Outcome.ANSWERED
    begun = work.clock.now_ms()
    with tenant_atomic(work.claimed.tenant_id):
        finish_reply(
            reply,
            Answer(
                body=repeated.text,
                language=work.language,
                outcome=outcome,
                sources=original.message.sources,
                confidence_band=original.confidence.band,
                seconds=round((timezone.now() - question.created_at).total_seconds(), 2),
                cache=original.kind,
                format=original.message.format,
            ),
        )
        work.clock.add("store", begun)
        record_trace(
            reply,
            TraceRecord(
                content=_content(work, original, repeated),
                outcome=outcome,
                total_ms=work.clock.now_ms(),
                queue_ms=waited_ms(work.claimed),
                first_token_ms=repeated.first_ms,
                finish_reason="abort" if repeated.is_stopped else "",
                saved_tokens=original.trace.prompt_tokens + original.trace.answer_tokens,
            ),
        )


def _content(work: Work, original: Original, repeated: Repeated) -> TraceContent:
    embedded = any(step.name == "embed" for step in work.clock.steps)
    return TraceContent(
        question=work.claimed.question.body,
        language=work.language,
        style=original.trace.style,
        answer=repeated.text,
        confidence=original.confidence,
        steps=tuple(StepRecord(step.name, step.start_ms, step.duration_ms) for step in work.clock.steps),
        embedder=work.embedder if embedded else None,
        kind=AnswerKind.PARTIAL.value if repeated.is_stopped else original.trace.kind or None,
        cached=CachedAnswer(
            trace=str(original.trace.id),
            reply=str(original.trace.reply_id),
            kind=original.kind.value,
            similarity=round(original.similarity, 4),
        ),
    )


def _pieces(text: str) -> Iterator[str]:
    """The text in PIECES parts of about the same length."""
    size = max(1, math.ceil(len(text) / PIECES))
    return (text[start : start + size] for start in range(0, len(text), size))

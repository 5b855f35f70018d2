"""Many questions through the real queue, a few at a time, and what became of each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from conversations.inbound import from_shell
from conversations.intake import receive
from conversations.models import Outcome, Reply, ReplyStatus
from conversations.parameters import RequestParameters
from evaluation.question_sets import POLL_SECONDS, Question, contains_answer
from helpdesk.errors import GlassdeskError
from helpdesk.queue.workers import read_heartbeats
from helpdesk.tenants.scope import tenant_atomic
from knowledge import queries
from tracing.content import Confidence
from tracing.models import Trace
from tracing.opening import content_of

IN_FLIGHT_AT_ONCE = 8

# What is measured is answering, not remembering.
ANEW = RequestParameters(use_cache=False)
# Beyond a reply's own deadline, after which the product's sweep has failed it.
GRACE_SECONDS = 60.0
LONGEST_STANDSTILL_SECONDS = 180.0


class WorkerMissing(Exception):
    """No inference worker is warm, or it has gone silent."""


@dataclass(frozen=True, slots=True)
class TenantQuestion:
    """A question that goes to one tenant's assistant."""

    tenant_id: UUID
    question: Question
    language: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a customer got: the outcome of the answer (empty when the reply failed), after how many seconds."""

    outcome: str
    contains_gold: bool = False
    seconds: float | None = None
    question: str = ""
    language: str = ""
    confidence: Confidence | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    asked: TenantQuestion
    give_up_at: float


def check_worker() -> None:
    """Raises WorkerMissing unless an inference worker is warm."""
    if not any(status.get("ready") for status in read_heartbeats()):
        raise WorkerMissing("No inference worker is warm. Start the desk with `make run` and wait until it says so.")


def passages_embedded(tenant_ids: Sequence[UUID]) -> Iterator[tuple[int, int]]:
    """Yields (embedded, all) passages of the tenants until every passage has its vectors.

    Raises WorkerMissing when the worker goes silent or nothing moves for LONGEST_STANDSTILL_SECONDS.
    """
    seen, moved_at = -1, time.monotonic()
    while True:
        counts = [_passage_counts(tenant_id) for tenant_id in tenant_ids]
        passages = sum(each.passages for each in counts)
        embedded = passages - sum(each.awaiting for each in counts)
        yield embedded, passages
        if embedded == passages:
            return
        if embedded != seen:
            seen, moved_at = embedded, time.monotonic()
        elif time.monotonic() - moved_at > LONGEST_STANDSTILL_SECONDS:
            raise WorkerMissing(f"The inference worker embedded {embedded} of {passages} passages and then no more.")
        check_worker()
        time.sleep(POLL_SECONDS)


def answers_to(questions: Sequence[TenantQuestion]) -> Iterator[Result]:
    """Ask each question as a new visitor, IN_FLIGHT_AT_ONCE at a time; yields results in the order of their ends."""
    remaining = iter(questions)
    waiting: dict[UUID, _Waiting] = {}
    while True:
        while len(waiting) < IN_FLIGHT_AT_ONCE and (asked := next(remaining, None)) is not None:
            reply_id = _post(asked)
            if reply_id is None:
                yield Result(outcome="")
                continue
            patience = settings.REPLY_DEADLINE_SECONDS + GRACE_SECONDS
            waiting[reply_id] = _Waiting(asked, time.monotonic() + patience)
        if not waiting:
            return
        ended = dict(_ended(waiting))
        for reply_id, result in ended.items():
            del waiting[reply_id]
            yield result
        if not ended:
            check_worker()
            time.sleep(POLL_SECONDS)


def _passage_counts(tenant_id: UUID) -> queries.KnowledgeCounts:
    with tenant_atomic(tenant_id):
        return queries.counts()


def _post(asked: TenantQuestion) -> UUID | None:
    """The id of the queued reply; None when the desk did not accept the message."""
    try:
        posted = receive(
            from_shell(tenant_id=asked.tenant_id, body=asked.question.text, language=asked.language, parameters=ANEW)
        )
    except GlassdeskError:
        return None
    return posted.reply.id if posted.reply else None


def _ended(waiting: dict[UUID, _Waiting]) -> Iterator[tuple[UUID, Result]]:
    for tenant_id in {each.asked.tenant_id for each in waiting.values()}:
        with tenant_atomic(tenant_id):
            rows = list(Reply.objects.filter(id__in=waiting.keys()).select_related("answer"))
            confidences = _confidences([reply for reply in rows if reply.status == ReplyStatus.DONE])
        for reply in rows:
            if reply.status in {ReplyStatus.DONE, ReplyStatus.FAILED}:
                yield reply.id, _result(reply, waiting[reply.id].asked, confidences.get(reply.id))
            elif time.monotonic() > waiting[reply.id].give_up_at:
                yield reply.id, Result(outcome="")


def _confidences(replies: Sequence[Reply]) -> dict[UUID, Confidence]:
    """The recorded confidence of each finished reply; a throwaway tenant's, so no read is logged."""
    traces = Trace.objects.filter(reply__in=replies).select_related("key") if replies else ()
    return {trace.reply_id: content_of(trace).confidence for trace in traces}


def _result(reply: Reply, asked: TenantQuestion, confidence: Confidence | None) -> Result:
    answer, question = reply.answer, asked.question
    if answer is None:
        return Result(outcome="", question=question.text, language=asked.language)
    return Result(
        outcome=answer.outcome,
        contains_gold=answer.outcome == Outcome.ANSWERED and contains_answer(answer.body, question.answers),
        seconds=answer.seconds,
        question=question.text,
        language=asked.language,
        confidence=confidence,
    )

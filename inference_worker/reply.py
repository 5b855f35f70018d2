"""The main path: one customer's question becomes one answer and one sealed trace, committed together."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from batches.tasks import enqueue_feed
from conversations.models import AnswerStyle, Conversation, ConversationStatus, Outcome, Reply, ReplyPriority
from conversations.parameters import RequestParameters
from conversations.replies import (
    Answer,
    ClaimedReply,
    ReplyLost,
    TakenOver,
    claim_reply,
    fail_reply,
    finish_reply,
    is_stopped,
    release_reply,
)
from helpdesk.crypto import SealError
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answer_cache import Original, cache_query, keep, recall
from inference_worker.checking import check_generated
from inference_worker.composing import (
    as_quote,
    compose,
    compose_ungrounded,
    find,
    question_language,
    resolve_style,
)
from inference_worker.engine import EngineError, GenerationRequest, PromptTooLong, RequestRefused
from inference_worker.generation import DeadlinePassed, Generated, Stopped, WorkerStopping, generate
from inference_worker.metrics import observe_answer
from inference_worker.recording import Work, confidence, outcome_of, sources, trace_content, waited_ms
from inference_worker.refusals import REFUSAL
from inference_worker.repeating import repeat, store_repeated
from inference_worker.reply_stream import ReplyStream
from inference_worker.runtime import Runtime
from inference_worker.steps import StepClock
from inference_worker.stopping import StopSignal
from knowledge.answer_index import Pointer
from tracing.calibrations import in_force
from tracing.jobs import request_automatic
from tracing.record import TraceRecord, record_trace

logger = structlog.get_logger(__name__)

READY_POLL_SECONDS = 0.5
RETRY_SECONDS = 1.0
STORE_ATTEMPTS = 8
STORE_RETRY_SECONDS = 1.0

Result = TypeVar("Result")


def answer(runtime: Runtime, *, tenant_id: UUID, reply_id: UUID) -> None:
    """Claim the reply, write it, store it. Every way out leaves it done, failed visibly, or back in the queue."""
    if not _engine_is_ready(runtime):
        # The reply stays queued; the sweep sends its task again.
        return
    claimed = claim_reply(tenant_id=tenant_id, reply_id=reply_id, worker=runtime.name)
    if claimed is None:
        return
    attempt = claimed.reply.attempt
    log = logger.bind(reply_id=str(reply_id), tenant_id=str(tenant_id), attempt=attempt)
    is_unhurried = _is_of_batch(claimed.reply)
    with runtime.writing(tenant_id=tenant_id, reply_id=reply_id, attempt=attempt, is_unhurried=is_unhurried) as stop:
        try:
            _write(runtime, claimed, stop)
        except Stopped:
            _end_stopped(claimed)
            log.info("reply_stopped")
        except WorkerStopping:
            log.info("reply_given_back")
        except TakenOver:
            _fail(claimed, "superseded")
            log.info("reply_superseded")
        except ReplyLost:
            # Given back to the queue or ended by the sweep: failing it here would take it from whoever writes it next.
            log.info("reply_lost")
        except DeadlinePassed:
            _fail(claimed, "deadline")
            log.warning("reply_deadline_passed")
        except SealError as error:
            _fail(claimed, "sealing")
            log.error("reply_not_sealed", reason=str(error))
        except DatabaseError as error:
            # Its text may quote a row; the lease runs out and the sweep gives the reply back.
            log.error("reply_database_away", error=type(error).__name__)
        except EngineError as error:
            if error.retryable:
                runtime.host.suspect()
            _after_engine_error(claimed, error)
            log.warning("reply_engine_error", retryable=error.retryable)
    if is_unhurried:
        enqueue_feed()


def _is_of_batch(reply: Reply) -> bool:
    return reply.priority >= ReplyPriority.BATCH


def _engine_is_ready(runtime: Runtime) -> bool:
    """Wait for an engine that is being restarted; an attempt must not be spent on it."""
    give_up_at = time.monotonic() + settings.REPLY_DEADLINE_SECONDS
    while not runtime.host.wait_ready(READY_POLL_SECONDS):
        if runtime.stopping or time.monotonic() > give_up_at:
            return False
    return True


def _fail(claimed: ClaimedReply, code: str) -> None:
    fail_reply(tenant_id=claimed.tenant_id, reply_id=claimed.reply.id, attempt=claimed.reply.attempt, code=code)


def _end_stopped(claimed: ClaimedReply) -> None:
    """Nothing was written that could be kept; the customer learns whether a person answers now."""
    with tenant_atomic(claimed.tenant_id):
        conversation = Conversation.objects.get(id=claimed.conversation.id)
    _fail(claimed, "superseded" if conversation.status == ConversationStatus.PERSON else "stopped")


def _after_engine_error(claimed: ClaimedReply, error: EngineError) -> None:
    """A passing fault is tried once more after a pause, with the attempts that are left."""
    reply = claimed.reply
    delay = RETRY_SECONDS * 2 ** (reply.attempt - 1)
    if error.retryable and release_reply(
        tenant_id=claimed.tenant_id, reply_id=reply.id, attempt=reply.attempt, delay=delay
    ):
        return
    _fail(claimed, _failure_code(error))


def _failure_code(error: EngineError) -> str:
    match error:
        case PromptTooLong():
            return "context_length"
        case RequestRefused():
            return "refused_request"
    return "engine"


def _hear(reply: Reply, stop: StopSignal) -> None:
    """What was said between the claim and the moment from which the signal is heard."""
    if is_stopped(reply):
        stop.set()


def _check(reply: Reply, stop: StopSignal) -> None:
    """Raises Stopped, or DeadlinePassed: nobody waits for this answer any more."""
    if stop.is_set:
        raise Stopped
    if timezone.now() > reply.deadline_at:
        raise DeadlinePassed


def _write(runtime: Runtime, claimed: ClaimedReply, stop: StopSignal) -> None:
    reply = claimed.reply
    work = Work(claimed=claimed, clock=StepClock(), asked=RequestParameters.from_json(reply.parameters))
    stream = ReplyStream(
        tenant_id=claimed.tenant_id, conversation_id=reply.conversation_id, reply_id=reply.id, attempt=reply.attempt
    )
    _check(reply, stop)
    work.language = question_language(claimed)
    if not work.asked.grounded:
        _write_freely(runtime, work, stream, stop)
        _finish(work, stream)
        return
    stream.phase("searching")
    work.embedder = runtime.embedder.info()
    engine = runtime.host.engine.info()
    work.style = resolve_style(claimed.conversation.assistant, can_generate_freely=engine.can_generate_freely)
    query = cache_query(claimed, language=work.language, style=work.style, engine=engine, embedder=work.embedder)
    original = recall(query, runtime.embedder, work.clock) if query else None
    if original is not None:
        _repeat(runtime, work, stream, stop, original)
        return
    vector = query.vector if query else None
    work.found = find(runtime, claimed, language=work.language, clock=work.clock, vector=vector)
    company = _company_name(claimed.tenant_id, work.language)
    with tenant_atomic(claimed.tenant_id):
        work.calibration = in_force()
        _hear(reply, stop)
    _check(reply, stop)
    # Streaming takes seconds: no database connection is held meanwhile.
    connections.close_all()
    if work.found.selection.answerable:
        _generate(runtime, work, stream, stop, company)
    else:
        work.answer = REFUSAL[work.language]
    pointer = _finish(work, stream, cache="miss" if query else "bypass")
    if query is not None and pointer is not None:
        keep(query, pointer)


def _finish(work: Work, stream: ReplyStream, *, cache: str = "") -> Pointer | None:
    """Store what was written. From articles, and when stopped, no text is no answer; the model alone may say nothing."""
    generated = work.generated
    if generated is not None and not work.answer and (work.asked.grounded or generated.finish_reason == "abort"):
        raise Stopped
    stream.phase("checked")
    pointer = _store(partial(_store_once, work))
    observe_answer(work, cache=cache)
    return pointer


def _write_freely(runtime: Runtime, work: Work, stream: ReplyStream, stop: StopSignal) -> None:
    """The model alone: nothing is searched, and nothing afterwards says that the answer is right."""
    engine, reply = runtime.host.engine, work.claimed.reply
    with tenant_atomic(work.claimed.tenant_id):
        _hear(reply, stop)
    _check(reply, stop)
    connections.close_all()
    work.engine, work.style = engine.info(), AnswerStyle.FREE
    with work.clock.step("prompt"):
        work.composition = compose_ungrounded(engine, work.claimed, asked=work.asked)
        work.prompt = engine.render(work.composition.prompt.turns)
    stream.phase("writing")
    work.generated = _run(runtime, work, stream, stop)
    work.answer = work.generated.text.strip()


def _repeat(runtime: Runtime, work: Work, stream: ReplyStream, stop: StopSignal, original: Original) -> None:
    connections.close_all()
    stream.phase("writing")
    repeated = repeat(work, original, stream, stop=stop, is_stopping=lambda: runtime.stopping)
    if not repeated.text:
        raise Stopped
    stream.phase("checked")
    _store(partial(store_repeated, work, original, repeated))
    outcome = Outcome.STOPPED if repeated.is_stopped else Outcome.ANSWERED
    observe_answer(work, cache=original.kind.value, outcome=outcome)


def _company_name(tenant_id: UUID, language: str) -> str:
    return Tenant.objects.get(id=tenant_id).name_in(language)


def _generate(runtime: Runtime, work: Work, stream: ReplyStream, stop: StopSignal, company: str) -> None:
    engine, found = runtime.host.engine, work.found
    assert found is not None  # noqa: S101
    work.engine = engine.info()
    with work.clock.step("prompt"):
        work.composition = compose(
            engine,
            work.claimed,
            found,
            asked=work.asked,
            style=work.style,
            language=work.language,
            company=company,
        )
        work.prompt = engine.render(work.composition.prompt.turns)
    stream.phase("writing")
    work.generated = _run(runtime, work, stream, stop)
    work.answer = work.generated.text.strip()
    work.quotes = found.selection.quotes
    if work.style is AnswerStyle.GENERATE and work.generated.finish_reason != "abort":
        with work.clock.step("check"):
            checked = check_generated(work.answer, work.composition.passages)
            work.groundedness = checked.groundedness
        if checked.is_supported:
            work.quotes = checked.quotes
        else:
            work.style, work.groundedness = AnswerStyle.QUOTE, None
            assistant = work.claimed.conversation.assistant
            work.composition = as_quote(work.composition, found, assistant=assistant, asked=work.asked)
            work.generated = _run(runtime, work, stream, stop, silent=True)
            work.answer = work.generated.text.strip()


def _run(runtime: Runtime, work: Work, stream: ReplyStream, stop: StopSignal, *, silent: bool = False) -> Generated:
    """One generation with its two steps. A silent one shows nothing until the final text replaces what was shown."""
    composition, prompt, reply = work.composition, work.prompt, work.claimed.reply
    assert composition is not None and prompt is not None  # noqa: S101
    request = GenerationRequest(
        request_id=f"{reply.id}-{reply.attempt}{'-quote' if silent else ''}",
        prompt=prompt,
        sampling=composition.sampling,
        priority=reply.rank,
    )
    begun, begun_ms = time.perf_counter(), work.clock.now_ms()
    seconds_left = (reply.deadline_at - timezone.now()).total_seconds()
    generated = generate(
        runtime.host,
        request,
        stream,
        deadline=time.monotonic() + max(seconds_left, 0.0),
        stop=stop,
        is_stopping=lambda: runtime.stopping,
        silent=silent,
    )
    if generated.first_token_at is not None:
        first_ms = begun_ms + (generated.first_token_at - begun) * 1000
        work.clock.add("first_token", begun_ms, first_ms)
        work.clock.add("decode", first_ms)
    return generated


def _store(store_once: Callable[[], Result]) -> Result:
    """Commit answer and trace together; a database that is away for some seconds is waited for."""
    for _ in range(1, STORE_ATTEMPTS):
        try:
            return store_once()
        except DatabaseError:
            connections.close_all()
            time.sleep(STORE_RETRY_SECONDS)
    return store_once()


def _store_once(work: Work) -> Pointer | None:
    """Returns where the answer stands when it may be given again: one that is complete."""
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
                confidence_band=parts.band if work.asked.grounded else "",
                seconds=round((timezone.now() - question.created_at).total_seconds(), 2),
            ),
        )
        work.clock.add("store", begun)
        trace = record_trace(reply, _trace_record(work, outcome))
        if settings.AUTOMATIC_ATTRIBUTION and _is_worth_measuring(work):
            request_automatic(trace)
    is_complete = outcome is Outcome.ANSWERED and trace.finish_reason == "stop"
    return Pointer(trace.id, message.id) if is_complete else None


def _is_worth_measuring(work: Work) -> bool:
    """Whether the causes of the answer are measured unasked: there are articles, and nobody asked ten thousand at once."""
    return work.generated is not None and work.asked.grounded and not _is_of_batch(work.claimed.reply)


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

"""The main path: one customer's question is looked up, composed, generated and stored."""

from __future__ import annotations

import time
from functools import partial

from django.db import connections
from django.utils import timezone

from conversations.models import AnswerStyle, Outcome, Reply, format_of
from conversations.parameters import RequestParameters
from conversations.replies import ClaimedReply, is_stopped
from conversations.small_talk import fixed_words, small_talk
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.cache import Original, cache_query, keep, recall
from inference_worker.answering.checking import check_generated
from inference_worker.answering.composing import (
    as_quote,
    compose,
    compose_ungrounded,
    find,
    question_language,
    resolve_style,
)
from inference_worker.answering.generation import DeadlinePassed, Generated, Stopped, generate
from inference_worker.answering.recording import Work
from inference_worker.answering.refusals import refusal
from inference_worker.answering.repeating import repeat, store_repeated
from inference_worker.answering.reply_stream import ReplyStream
from inference_worker.answering.steps import StepClock
from inference_worker.answering.stopping import StopSignal
from inference_worker.answering.storing import store, store_written
from inference_worker.engine.contract import GenerationRequest
from inference_worker.engine.grammars import require_grammar
from inference_worker.metrics import observe_answer
from inference_worker.runtime import Runtime
from knowledge.cached_answers.answer_index import Pointer
from knowledge.queries import is_index_complete
from tracing.calibrations import in_force


def write(runtime: Runtime, claimed: ClaimedReply, stop: StopSignal) -> None:
    """Write and store one answer, from earlier ones, from the articles or by the model alone; small talk gets a fixed text.

    Raises Stopped, DeadlinePassed, WorkerStopping, ReplyLost, SealError, EngineError or DatabaseError; nothing is stored then.
    """
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
    work.talk = small_talk(claimed.question.body)
    if work.talk is not None:
        work.style, work.answer = AnswerStyle.FIXED, fixed_words(work.talk, work.language)
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
    with tenant_atomic(claimed.tenant_id):
        work.calibration = in_force()
        # Before the search: what gets its vectors meanwhile was not seen by it.
        work.is_index_complete = is_index_complete()
        _hear(reply, stop)
    tenant = Tenant.objects.get(id=claimed.tenant_id)
    company = tenant.name_in(work.language)
    work.found = find(
        runtime,
        claimed,
        language=work.language,
        clock=work.clock,
        vector=vector,
        own_names=(tenant.name, tenant.name_zh, tenant.slug),
    )
    _check(reply, stop)
    # Streaming takes seconds: no database connection is held meanwhile.
    connections.close_all()
    if work.found.selection.answerable:
        _generate(runtime, work, stream, stop, company)
    else:
        work.answer = refusal(work.language, work.found.verdict)
    pointer = _finish(work, stream, cache="miss" if query else "bypass")
    if query is not None and pointer is not None:
        keep(query, pointer)


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


def _finish(work: Work, stream: ReplyStream, *, cache: str = "") -> Pointer | None:
    """Store what was written. From articles, and when stopped, no text is no answer; the model alone may say nothing."""
    generated = work.generated
    if generated is not None and not work.answer and (work.asked.grounded or generated.finish_reason == "abort"):
        raise Stopped
    stream.phase("checked")
    pointer = store(partial(store_written, work))
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
        if work.asked.json_schema is not None:
            require_grammar(work.asked.json_schema)
        work.composition = compose_ungrounded(engine, work.claimed, asked=work.asked)
        work.prompt = engine.render(work.composition.prompt.turns)
    stream.phase("writing", format=format_of(work.style).value)
    work.generated = _run(runtime, work, stream, stop)
    work.answer = work.generated.text.strip()


def _repeat(runtime: Runtime, work: Work, stream: ReplyStream, stop: StopSignal, original: Original) -> None:
    connections.close_all()
    stream.phase("writing", format=original.message.format)
    repeated = repeat(work, original, stream, stop=stop, is_stopping=lambda: runtime.stopping)
    if not repeated.text:
        raise Stopped
    stream.phase("checked")
    store(partial(store_repeated, work, original, repeated))
    outcome = Outcome.STOPPED if repeated.is_stopped else Outcome.ANSWERED
    observe_answer(work, cache=original.kind.value, outcome=outcome)


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
    stream.phase("writing", format=format_of(work.style).value)
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

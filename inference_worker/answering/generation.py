"""Runs one generation on the engine's loop and hands its deltas to the reply's thread and stream.

What is written freely from passages passes a gate on its way: a sentence goes out when it has been checked.
"""

from __future__ import annotations

import queue
import time
from collections import Counter
from dataclasses import dataclass, field, replace

from conversations.models import AnswerStyle
from inference_worker.answering.checking.gate import AnswerGate
from inference_worker.answering.checking.sentences import SentenceJudge
from inference_worker.answering.endings import Stopped
from inference_worker.answering.means import Means
from inference_worker.answering.results import Asked, Draft, Generated, Generation
from inference_worker.engine.contract import Delta, Engine, EngineError, FinishReason, GenerationRequest, Token

POLL_SECONDS = 0.05

Sink = queue.SimpleQueue[Delta | Exception | None]


@dataclass(slots=True)
class _Growing:
    """The deltas so far, and what was shown of them: without a gate all of it. `first_shown_at` is of time.perf_counter()."""

    gate: AnswerGate | None = None
    text: str = ""
    shown: str = ""
    first_shown_at: float | None = None
    tokens: list[Token] = field(default_factory=list)
    finish_reason: FinishReason | None = None
    cached_prompt_tokens: int = 0
    first_token_at: float | None = None
    token_seconds: list[float] = field(default_factory=list)
    newest_at: float = 0.0

    def add(self, delta: Delta) -> str:
        """Take one delta in; what may be shown now, possibly nothing."""
        if delta.tokens:
            self._note_time(len(delta.tokens))
        self.text += delta.text
        self.tokens.extend(delta.tokens)
        self.finish_reason = delta.finish_reason or self.finish_reason
        self.cached_prompt_tokens = max(self.cached_prompt_tokens, delta.cached_prompt_tokens)
        return self._show(delta.text if self.gate is None else self.gate.add(delta.text))

    def finish(self) -> str:
        """The engine has ended: what may still be shown."""
        return "" if self.gate is None else self._show(self.gate.finish())

    def prepare(self) -> None:
        """Do what need not wait for the engine, which is reading its prompt."""
        if self.gate is not None:
            self.gate.prepare()

    def stop(self) -> None:
        """Nothing more is shown."""
        if self.gate is not None:
            self.gate.stop()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is wanted of the engine."""
        return self.gate is not None and self.gate.is_closed

    def _show(self, text: str) -> str:
        if text and self.first_shown_at is None:
            self.first_shown_at = time.perf_counter()
        self.shown += text
        return text

    def _note_time(self, tokens: int) -> None:
        now = time.perf_counter()
        if self.first_token_at is None:
            self.first_token_at = now
        else:
            self.token_seconds.extend([(now - self.newest_at) / tokens] * tokens)
        self.newest_at = now

    def grown(self, finish_reason: FinishReason | None) -> Generated:
        """As it stands at the end."""
        return Generated(
            text=self.text,
            tokens=tuple(self.tokens),
            finish_reason=finish_reason,
            cached_prompt_tokens=self.cached_prompt_tokens,
            first_token_at=self.first_token_at,
            token_seconds=tuple(self.token_seconds),
        )


def generate(asked: Asked, plan: Generation, means: Means, *, is_second: bool = False) -> Draft:
    """One generation with its steps: what was shown of it.

    Raises EngineError, DeadlinePassed or WorkerStopping.
    """
    request = GenerationRequest(
        request_id=f"{asked.reply_id}-{asked.attempt}{'-quote' if is_second else ''}",
        prompt=plan.prompt,
        sampling=plan.composition.sampling,
        priority=asked.priority,
    )
    begun, begun_ms = time.perf_counter(), means.steps.now_ms()
    growing = _Growing(_gate(asked, plan, means))
    is_stopped = _stream(request, means, growing)
    generated = growing.grown("abort" if is_stopped or growing.is_closed else growing.finish_reason)
    first_ms = None
    if generated.first_token_at is not None:
        first_token_ms = begun_ms + (generated.first_token_at - begun) * 1000
        means.steps.add("first_token", begun_ms, first_token_ms)
        if growing.first_shown_at is not None:
            first_ms = begun_ms + (growing.first_shown_at - begun) * 1000
        if growing.gate is not None and first_ms is not None:
            means.steps.add("first_sentence", first_token_ms, first_ms)
        means.steps.add("decode", first_token_ms)
    draft = Draft(text=growing.shown.strip(), is_stopped=is_stopped, generated=generated, first_ms=first_ms)
    return draft if growing.gate is None else _checked(draft, growing.gate, means)


def _gate(asked: Asked, plan: Generation, means: Means) -> AnswerGate | None:
    """What is written freely from passages is checked; quotes cannot leave them, and the model alone has none."""
    if plan.style is not AnswerStyle.GENERATE:
        return None
    judge = SentenceJudge(plan.composition.passages, asked.question, own_names=plan.own_names, reranker=means.reranker)
    return AnswerGate(judge)


def _checked(draft: Draft, gate: AnswerGate, means: Means) -> Draft:
    """The draft with what the gate found, which is noted: how many sentences, how long each took, and why some were cut."""
    checking = gate.checking()
    spent = [sentence.milliseconds for sentence in checking.sentences]
    cut = Counter(sentence.reason for sentence in checking.sentences if sentence.reason)
    means.steps.add("check", means.steps.now_ms() - sum(spent))
    verdict = "replaced" if checking.is_replaced else "cut" if cut else "kept"
    means.steps.note(
        "check",
        verdict,
        sentences=float(len(spent)),
        milliseconds_each=round(sum(spent) / max(len(spent), 1), 3),
        milliseconds_at_most=max(spent, default=0.0),
        **{reason: float(count) for reason, count in cut.items()},
    )
    return replace(draft, checking=checking, quotes=gate.quotes)


def _stream(request: GenerationRequest, means: Means, growing: _Growing) -> bool:
    """Stream until the end, the stop signal, the deadline, or until nothing more is wanted; true when it was stopped.

    Raises EngineError, DeadlinePassed or WorkerStopping; in every case the engine no longer works on the request.
    """
    sink: Sink = queue.SimpleQueue()
    future = means.model.submit(_pump(means.engine, request, sink))
    try:
        with means.watch.stop.waking(lambda: sink.put(Stopped())):
            growing.prepare()
            while not growing.is_closed:
                try:
                    item = sink.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    means.stream.flush()
                    if future.done() and sink.empty():
                        raise _ended_early(future.exception()) from None
                else:
                    if item is None:
                        means.stream.add(growing.finish())
                        return False
                    if isinstance(item, Exception):
                        raise item
                    means.stream.add(growing.add(item))
                means.watch.check_while_writing()
            return False
    except Stopped:
        growing.stop()
        return True
    finally:
        future.cancel()
        means.stream.flush()


async def _pump(engine: Engine, request: GenerationRequest, sink: Sink) -> None:
    """Copy the engine's stream into the thread's queue; cancelling this closes the generator, which aborts the request."""
    stream = engine.stream(request)
    try:
        async for delta in stream:
            sink.put(delta)
        sink.put(None)
    except EngineError as error:
        sink.put(error)
    finally:
        await stream.aclose()


def _ended_early(error: BaseException | None) -> EngineError:
    return EngineError(f"The engine ended the stream early ({type(error).__name__}).", retryable=True)

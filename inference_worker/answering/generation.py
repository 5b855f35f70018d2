"""Runs one generation on the engine's loop and hands its deltas to the reply's thread and stream."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass, field

from inference_worker.answering.endings import Stopped
from inference_worker.answering.means import Means
from inference_worker.answering.results import Asked, Draft, Generated, Generation
from inference_worker.engine.contract import Delta, Engine, EngineError, FinishReason, GenerationRequest, Token

POLL_SECONDS = 0.05

Sink = queue.SimpleQueue[Delta | Exception | None]


@dataclass(slots=True)
class _Growing:
    """The deltas so far."""

    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    finish_reason: FinishReason | None = None
    cached_prompt_tokens: int = 0
    first_token_at: float | None = None
    token_seconds: list[float] = field(default_factory=list)
    newest_at: float = 0.0

    def add(self, delta: Delta) -> None:
        """Take one delta in."""
        if delta.tokens:
            self._note_time(len(delta.tokens))
        self.text += delta.text
        self.tokens.extend(delta.tokens)
        self.finish_reason = delta.finish_reason or self.finish_reason
        self.cached_prompt_tokens = max(self.cached_prompt_tokens, delta.cached_prompt_tokens)

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
    """One generation with its two steps. A second one shows nothing until the final text replaces what was shown.

    Raises EngineError, DeadlinePassed or WorkerStopping.
    """
    request = GenerationRequest(
        request_id=f"{asked.reply_id}-{asked.attempt}{'-quote' if is_second else ''}",
        prompt=plan.prompt,
        sampling=plan.composition.sampling,
        priority=asked.priority,
    )
    begun, begun_ms = time.perf_counter(), means.steps.now_ms()
    generated = _stream(request, means, silent=is_second)
    first_ms = None
    if generated.first_token_at is not None:
        first_ms = begun_ms + (generated.first_token_at - begun) * 1000
        means.steps.add("first_token", begun_ms, first_ms)
        means.steps.add("decode", first_ms)
    return Draft(
        text=generated.text.strip(),
        is_stopped=generated.finish_reason == "abort",
        generated=generated,
        first_ms=first_ms,
    )


def _stream(request: GenerationRequest, means: Means, *, silent: bool) -> Generated:
    """Stream until the end, the stop signal or the deadline.

    A stopped generation returns what was written with finish_reason "abort". Raises EngineError, DeadlinePassed or
    WorkerStopping; in every case the engine no longer works on the request.
    """
    sink: Sink = queue.SimpleQueue()
    future = means.model.submit(_pump(means.engine, request, sink))
    growing = _Growing()
    try:
        with means.watch.stop.waking(lambda: sink.put(Stopped())):
            while True:
                try:
                    item = sink.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    means.stream.flush()
                    if future.done() and sink.empty():
                        raise _ended_early(future.exception()) from None
                else:
                    if item is None:
                        return growing.grown(growing.finish_reason)
                    if isinstance(item, Exception):
                        raise item
                    growing.add(item)
                    if not silent:
                        means.stream.add(item.text)
                means.watch.check_while_writing()
    except Stopped:
        return growing.grown("abort")
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

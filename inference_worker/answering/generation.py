"""Runs one generation on the engine's loop and hands its deltas to the reply's thread and stream."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from inference_worker.answering.reply_stream import ReplyStream
from inference_worker.answering.stopping import StopSignal
from inference_worker.engine.contract import Delta, Engine, EngineError, FinishReason, GenerationRequest, Token
from inference_worker.engine.host import EngineHost

POLL_SECONDS = 0.05


class Stopped(Exception):
    """The customer or a person stopped the reply."""


class DeadlinePassed(Exception):
    """The reply's time was up before the answer was complete."""


class WorkerStopping(Exception):
    """The worker shuts down; the reply has been given back to the queue."""


@dataclass(slots=True)
class Generated:
    """What the engine wrote. `first_token_at` is time.perf_counter() of the first delta.

    `token_seconds` are the times from token to token after it; those of one delta share its time.
    """

    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    finish_reason: FinishReason | None = None
    cached_prompt_tokens: int = 0
    first_token_at: float | None = None
    token_seconds: list[float] = field(default_factory=list)
    _newest_at: float = 0.0

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
            self.token_seconds.extend([(now - self._newest_at) / tokens] * tokens)
        self._newest_at = now


async def _pump(engine: Engine, request: GenerationRequest, sink: queue.SimpleQueue[Delta | Exception | None]) -> None:
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


def generate(
    host: EngineHost,
    request: GenerationRequest,
    stream: ReplyStream,
    *,
    deadline: float,
    stop: StopSignal,
    is_stopping: Callable[[], bool],
    silent: bool = False,
) -> Generated:
    """Stream until the end, the stop signal or the deadline (time.monotonic()).

    A stopped generation returns what was written with finish_reason "abort". Raises EngineError, DeadlinePassed or
    WorkerStopping; in every case the engine no longer works on the request.
    """
    sink: queue.SimpleQueue[Delta | Exception | None] = queue.SimpleQueue()
    future = host.submit(_pump(host.engine, request, sink))
    generated = Generated()
    try:
        with stop.waking(lambda: sink.put(Stopped())):
            while True:
                try:
                    item = sink.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    stream.flush()
                    if future.done() and sink.empty():
                        raise _ended_early(future.exception()) from None
                else:
                    if item is None:
                        return generated
                    if isinstance(item, Exception):
                        raise item
                    generated.add(item)
                    if not silent:
                        stream.add(item.text)
                if is_stopping():
                    raise WorkerStopping
                if time.monotonic() > deadline:
                    raise DeadlinePassed
    except Stopped:
        generated.finish_reason = "abort"
        return generated
    finally:
        future.cancel()
        stream.flush()


def _ended_early(error: BaseException | None) -> EngineError:
    return EngineError(f"The engine ended the stream early ({type(error).__name__}).", retryable=True)

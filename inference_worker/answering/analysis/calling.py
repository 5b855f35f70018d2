"""Calls of the engine from a background thread, which are given up when customers come or the worker stops."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from inference_worker.answering.means import EngineHandle
from inference_worker.engine.contract import Engine, EngineError, GenerationRequest, Token

POLL_SECONDS = 0.05
LONGEST_CALL_SECONDS = 300.0

Result = TypeVar("Result")


class Interrupted(Exception):
    """Customers need the engine, or the worker stops; the analysis is done again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpareEngine:
    """The engine in moments in which nobody waits for it. `alias` is the name under which it is served, if it has one."""

    model: EngineHandle
    alias: str
    is_stopping: Callable[[], bool]
    is_answering: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Caller:
    """Runs engine coroutines one at a time. What nobody asked for gives way to customers (`gives_way`); what a person
    waits for goes on beside them, at the engine's lowest priority."""

    spare: SpareEngine
    gives_way: bool

    def __call__(self, make: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The coroutine's result. Raises Interrupted or EngineError."""
        self._check()
        future = self.spare.model.submit(make())
        give_up_at = time.monotonic() + LONGEST_CALL_SECONDS
        try:
            while True:
                try:
                    return future.result(POLL_SECONDS)
                except concurrent.futures.TimeoutError:
                    if future.done():
                        raise
                    self._check()
                    if time.monotonic() > give_up_at:
                        raise EngineError("The engine did not answer in time.", retryable=True) from None
        finally:
            future.cancel()

    def _check(self) -> None:
        if self.spare.is_stopping() or (self.gives_way and self.spare.is_answering()):
            raise Interrupted


async def collect(engine: Engine, request: GenerationRequest) -> tuple[str, list[Token]]:
    """The whole text of one generation with its tokens."""
    stream = engine.stream(request)
    text = ""
    tokens: list[Token] = []
    try:
        async for delta in stream:
            text += delta.text
            tokens.extend(delta.tokens)
    finally:
        await stream.aclose()
    return text, tokens

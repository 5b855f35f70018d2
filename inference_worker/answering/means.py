"""What every stage of an answer is given to work with: narrow values, nothing of the process around them."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from inference_worker.answering.endings import Watch
from inference_worker.answering.pace import Pace
from inference_worker.answering.reply_stream import ReplyStream
from inference_worker.answering.steps import Steps
from inference_worker.engine.contract import Embedder, Engine, Reranker

Result = TypeVar("Result")


class EngineHandle(Protocol):
    """The chat model, from the threads that write answers."""

    @property
    def engine(self) -> Engine:
        """What renders, counts and identifies itself in any thread; its coroutines run by `submit`."""

    def submit(self, coroutine: Coroutine[Any, Any, Result]) -> concurrent.futures.Future[Result]:
        """Run a coroutine on the engine's loop. Raises EngineError (retryable) while the engine is not ready."""

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait until requests are accepted; false when `timeout` seconds passed first."""

    def suspect(self) -> None:
        """Accept nothing until the engine has been seen alive: a request has just failed on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """How this worker answers. `cache_seconds` 0 switches the answer cache off, whose keys are derived from `secret_key`.

    The causes of answers are measured unasked on `analysis_queue`; None switches that off. `rerank_milliseconds` is what the
    reranker may take for one search, `translation_seconds` what the translations of one answer may take; 0 makes none.
    """

    cache_seconds: int
    secret_key: bytes = field(repr=False)
    analysis_queue: str | None = None
    rerank_milliseconds: int = 250
    translation_seconds: int = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The models, and this answer's steps, stream and watch. `pace` is the reranker's, shared by all answers of a worker."""

    model: EngineHandle
    embedder: Embedder
    reranker: Reranker | None = None
    pace: Pace = field(default_factory=Pace)
    settings: AnswerSettings
    steps: Steps
    stream: ReplyStream
    watch: Watch

    @property
    def engine(self) -> Engine:
        """The chat model itself."""
        return self.model.engine

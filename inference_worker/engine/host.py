"""Owns the engine's asyncio loop: starts it in a thread of its own, watches the engine and restarts it when it dies."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from typing import Any, TypeVar

from inference_worker.engine.contract import Engine, EngineError
from inference_worker.engine.processes import idle_seconds
from inference_worker.engine.processor_share import Patience, ProcessorShare, ProcessorTimes

logger = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
LAST_LOOK_SECONDS = 1.0
# An engine that neither answers nor uses its processor for so long is frozen. A long step or a busy machine is not: all
# three are counted in seconds in which the engine could have worked (see processor_share.py).
STALL_SECONDS = 4.0
STALL_RESTART_SECONDS = 20.0
ANSWER_SECONDS = 60.0
LOOKS_PER_STALL = 8
FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 60.0

Result = TypeVar("Result")


class EngineState(Enum):
    """The life of an engine: loading → warm → stopped; stalled and restarting lead back to warm."""

    LOADING = auto()
    WARM = auto()
    STALLED = auto()
    RESTARTING = auto()
    STOPPED = auto()


class EngineHost:
    """One engine on its own loop, for the task threads of a worker.

    `ready` is false while the engine loads, is frozen, is being restarted, or is stopped; `state` says which. `changed`
    is set whenever either changes.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        check_seconds: float = CHECK_SECONDS,
        backoff_seconds: float = FIRST_BACKOFF_SECONDS,
        stall_seconds: float = STALL_SECONDS,
        stall_restart_seconds: float = STALL_RESTART_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        idle: Callable[[], float] = idle_seconds,
    ) -> None:
        self.engine = engine
        self.processor = ProcessorShare(self._processor_times, idle)
        self.restarts = 0
        self.state = EngineState.LOADING
        self.changed = threading.Event()
        self._stall_seconds = stall_seconds
        self._stall_restart_seconds = stall_restart_seconds
        self._answer_seconds = answer_seconds
        self._check_seconds = check_seconds
        self._backoff_seconds = backoff_seconds
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._restarting: asyncio.Lock | None = None

    @property
    def ready(self) -> bool:
        """Whether requests are accepted."""
        return self._ready.is_set()

    def start(self) -> None:
        """Start the loop and the engine; returns when it is warm. Raises EngineError when the model does not load."""
        if self._thread is not None:
            raise RuntimeError("the engine host is already started")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="engine-loop", daemon=True)
        self._thread.start()
        try:
            self._call(self._start_engine())
        except BaseException:
            self.stop()
            raise

    def submit(self, coroutine: Coroutine[Any, Any, Result]) -> concurrent.futures.Future[Result]:
        """Run a coroutine on the engine's loop. Raises EngineError (retryable) while the engine is not ready."""
        if self._loop is None or not self.ready:
            coroutine.close()
            raise EngineError("The engine is not ready.", retryable=True)
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def suspect(self) -> None:
        """Accept nothing until the watcher has seen the engine alive: a request has just failed on it."""
        self._enter(EngineState.STALLED)

    def _processor_times(self) -> ProcessorTimes:
        return self.engine.processor_times()

    def _enter(self, state: EngineState) -> None:
        changed, self.state = self.state != state, state
        if state == EngineState.WARM:
            self._ready.set()
        else:
            self._ready.clear()
        if changed:
            self.changed.set()

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait until requests are accepted; false when `timeout` seconds passed first."""
        return self._ready.wait(timeout)

    def stop(self) -> None:
        """Stop the engine with its processes, then the loop and its thread. May be called twice."""
        self._enter(EngineState.STOPPED)
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self._loop = self._thread = None
        stopping = asyncio.run_coroutine_threadsafe(self._stop_engine(), loop)
        try:
            stopping.result(STOP_TIMEOUT_SECONDS)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(STOP_TIMEOUT_SECONDS)

    def _call(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        if self._loop is None:
            coroutine.close()
            raise EngineError("The engine host is not started.", retryable=True)
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _start_engine(self) -> None:
        self._restarting = asyncio.Lock()
        await self.engine.start()
        self.processor.restart()
        self._enter(EngineState.WARM)
        self._watcher = asyncio.create_task(self._watch(), name="engine-watcher")

    async def _stop_engine(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        await self.engine.stop()
        pending = asyncio.all_tasks() - {asyncio.current_task()}
        if pending:
            _, stuck = await asyncio.wait(pending, timeout=2.0)
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)

    async def _watch(self) -> None:
        """Restart a dead engine, waiting twice as long after each failed attempt."""
        delay = self._backoff_seconds
        while True:
            await asyncio.sleep(self._check_seconds)
            if await self._answers():
                delay = self._backoff_seconds
                self._enter(EngineState.WARM)
                await self._fit()
                continue
            self._enter(EngineState.RESTARTING)
            logger.error("engine_died restart_in_seconds=%.1f", delay)
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_BACKOFF_SECONDS)
            try:
                await self._restart_if_dead()
            except EngineError:
                logger.exception("engine_restart_failed")

    async def _answers(self) -> bool:
        """Whether the engine answers. While it does not and does nothing either, it is reported as stalled."""
        asking = asyncio.ensure_future(self.engine.is_alive())
        interval = self._stall_seconds / LOOKS_PER_STALL
        patience = Patience(self.engine.processor_times, interval)
        try:
            while not (await asyncio.wait([asking], timeout=interval))[0]:
                patience.look()
                if patience.still >= self._stall_restart_seconds or patience.answering >= self._answer_seconds:
                    logger.error("engine_silent still=%.1f answering=%.1f", patience.still, patience.answering)
                    return False
                if patience.still >= self._stall_seconds and self.state == EngineState.WARM:
                    logger.error("engine_stalled seconds=%.1f", patience.still)
                    self._enter(EngineState.STALLED)
            return asking.result()
        finally:
            asking.cancel()

    async def _fit(self) -> None:
        """Let the engine compute with as many threads as find a processor; one that has just died is the watcher's."""
        if self.processor.look():
            try:
                # Not wait_for, which in Python 3.11 can lose the cancellation that ends the watcher.
                async with asyncio.timeout(self._stall_seconds):
                    await self.engine.fit(self.processor)
            except (EngineError, TimeoutError) as error:
                logger.warning("engine_not_fitted error=%s", type(error).__name__)

    async def _answers_at_once(self) -> bool:
        """A last look before a restart: what was silent for long has to answer now."""
        try:
            async with asyncio.timeout(LAST_LOOK_SECONDS):
                return await self.engine.is_alive()
        except TimeoutError:
            return False

    async def _restart_if_dead(self) -> None:
        if self._restarting is None:
            raise EngineError("The engine host is not started.", retryable=True)
        async with self._restarting:
            if await self._answers_at_once():
                self._enter(EngineState.WARM)
                logger.info("engine_answers_again")
                return
            self._enter(EngineState.RESTARTING)
            await self.engine.stop()
            await self.engine.start()
            self.processor.restart()
            self.restarts += 1
            self._enter(EngineState.WARM)
            logger.info("engine_restarted count=%d", self.restarts)

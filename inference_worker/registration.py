"""What this worker reports to the register of workers, from the first second of loading to the last of draining."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import redis
import structlog
from django.conf import settings

from helpdesk.queue.celery import inference_queue
from helpdesk.queue.workers import LoadStep, WorkerState, WorkerStatus, remove_heartbeat, report_heartbeat
from inference_worker.engine.host import EngineHost, EngineState
from inference_worker.engine.load_log import LoadLog

if TYPE_CHECKING:
    from inference_worker.engine.contract import Embedder, Reranker

logger = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 3.0
STATE_OF_WORKER = {
    EngineState.LOADING: WorkerState.LOADING,
    EngineState.WARM: WorkerState.WARM,
    EngineState.STALLED: WorkerState.STALLED,
    EngineState.RESTARTING: WorkerState.RESTARTING,
    EngineState.STOPPED: WorkerState.DRAINING,
}


def worker_name() -> str:
    """Host and process id: unique, and what a lease on a reply names."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """The replies in progress, how many there may be, and how many seconds of the worker one takes of late
    (None before the first).

    `reserved` of the `capacity` are for replies that are not over-share. `indexing` articles wait for their vectors.
    """

    writing: int
    capacity: int
    reserved: int
    seconds_per_reply: float | None
    indexing: int = 0


@dataclass(slots=True)
class Registration:
    """This process' entry. `begin_loading` reports until `end_loading`; from then on the runtime's heartbeat does."""

    name: str = field(default_factory=worker_name)
    load_log: LoadLog = field(default_factory=LoadLog)
    started_at: float = field(default_factory=lambda: psutil.Process().create_time())
    _loaded: threading.Event = field(default_factory=threading.Event)

    def begin_loading(self) -> None:
        """Report that the models are being loaded, now and every few seconds."""
        self.send(self.loading(WorkerState.LOADING))
        threading.Thread(target=self._report_loading, name="loading-heartbeat", daemon=True).start()

    def end_loading(self, *, failed: bool = False) -> None:
        """Stop reporting; a failure is left for people to see."""
        self._loaded.set()
        if failed:
            self.send(self.loading(WorkerState.FAILED))

    def _report_loading(self) -> None:
        while not self._loaded.wait(HEARTBEAT_SECONDS):
            self.send(self.loading(WorkerState.LOADING))

    def loading(self, state: WorkerState) -> WorkerStatus:
        """What can be said before the engine is there."""
        return WorkerStatus(
            name=self.name,
            alias=settings.MODEL_NAME,
            queue=inference_queue(settings.MODEL_NAME),
            state=state,
            started_at=self.started_at,
            model=settings.CHAT_MODEL,
            memory_bytes=psutil.Process().memory_info().rss,
            load_log=self._load_steps(),
        )

    def serving(
        self, host: EngineHost, embedder: Embedder, reranker: Reranker | None, *, state: WorkerState, load: WorkerLoad
    ) -> WorkerStatus:
        """Everything, of a worker whose engine has been started."""
        info, footprint, usage = host.engine.info(), host.engine.footprint(), host.engine.usage()
        return WorkerStatus(
            name=self.name,
            alias=settings.MODEL_NAME,
            queue=inference_queue(settings.MODEL_NAME),
            state=state,
            started_at=self.started_at,
            model=info.model,
            revision=info.revision,
            precision=footprint.precision,
            quantization=info.quantization,
            parameters=footprint.parameters,
            weights_bytes=footprint.weights_bytes,
            memory_bytes=psutil.Process().memory_info().rss + usage.memory_bytes,
            gpu_memory_bytes=usage.gpu_memory_bytes,
            kv_cache_bytes=footprint.kv_cache_bytes,
            kv_cache_share=round(usage.kv_cache_share, 4),
            device=info.device,
            engine=info.engine,
            engine_version=info.engine_version,
            libraries=info.libraries,
            embedder=embedder.info()["model"],
            reranker=_named(reranker),
            max_model_len=info.max_model_len,
            writes=info.writes,
            max_sequences=footprint.max_sequences,
            restarts=host.restarts,
            writing=load.writing,
            capacity=load.capacity,
            reserved=load.reserved,
            seconds_per_reply=load.seconds_per_reply,
            running=usage.running,
            waiting=usage.waiting,
            processor_share=None if host.processor.share is None else round(host.processor.share, 3),
            indexing=load.indexing,
            load_log=self._load_steps(),
        )

    def _load_steps(self) -> tuple[LoadStep, ...]:
        return tuple(LoadStep(step.name, step.seconds) for step in self.load_log.steps())

    def send(self, status: WorkerStatus) -> None:
        """Report to the register; while Redis is away there is none to report to."""
        try:
            report_heartbeat(self.name, status.to_json())
        except redis.RedisError as error:
            logger.warning("heartbeat_failed", error=type(error).__name__)

    def withdraw(self) -> None:
        """Take the entry back after a stop in good order."""
        try:
            remove_heartbeat(self.name)
        except redis.RedisError as error:
            logger.warning("heartbeat_not_removed", error=type(error).__name__)


def _named(reranker: Reranker | None) -> str:
    """Name and version; empty without a reranker."""
    info = {} if reranker is None else reranker.info()
    return " ".join(info[name] for name in ("model", "revision") if info.get(name))

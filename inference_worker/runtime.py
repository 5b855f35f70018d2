"""What this worker process holds: the engine on its own loop, the embedder, the reranker, and the replies it is writing now."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from conversations.replies import release_reply, renew_leases
from helpdesk.queue.workers import WorkerState, WorkerStatus
from inference_worker.answering.analysis.calling import SpareEngine
from inference_worker.answering.analysis.running import run_analysis
from inference_worker.answering.embedding import embed_version
from inference_worker.answering.pace import Pace
from inference_worker.answering.stopping import StopListener, StopSignal
from inference_worker.background import IdleQueue
from inference_worker.engine.contract import Embedder, Reranker
from inference_worker.engine.host import EngineHost
from inference_worker.registration import HEARTBEAT_SECONDS, STATE_OF_WORKER, Registration, WorkerLoad
from inference_worker.throughput import Throughput
from tracing.jobs import renew_job

logger = structlog.get_logger(__name__)

# Replies go first, but under steady traffic a new article must still become searchable.
LONGEST_EMBEDDING_WAIT_SECONDS = 3.0
LONGEST_ANALYSIS_WAIT_SECONDS = 60.0
STOP_HEARTBEAT_SECONDS = 2.0


@dataclass(slots=True)
class Runtime:
    """One process' models and its replies in progress."""

    host: EngineHost
    embedder: Embedder
    reranker: Reranker | None = None
    registration: Registration = field(default_factory=Registration)
    # How many replies are written at once: one for each thread of the worker.
    capacity: int = field(default_factory=lambda: int(settings.INFERENCE_THREADS))
    # So many of them are for replies that are not over-share.
    reserved: int = 0
    pace: Pace = field(default_factory=Pace)
    _throughput: Throughput = field(default_factory=Throughput)
    _writing: dict[UUID, tuple[UUID, int]] = field(default_factory=dict)
    # Those of `_writing` that nobody waits for: they give way to customers, as background work does.
    _unhurried: set[UUID] = field(default_factory=set)
    _stops: StopListener = field(default_factory=StopListener)
    _analysing: tuple[UUID, UUID] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _heartbeats: list[threading.Thread] = field(default_factory=list)
    _draining: threading.Event = field(default_factory=threading.Event)
    _embeddings: IdleQueue = field(init=False)
    _analyses: IdleQueue = field(init=False)

    def __post_init__(self) -> None:
        self._embeddings = IdleQueue(
            "embedding",
            self._embed,
            is_answering=lambda: self.is_answering,
            longest_wait=LONGEST_EMBEDDING_WAIT_SECONDS,
        )
        self._analyses = IdleQueue(
            "analyses",
            self._analyse,
            is_answering=lambda: self.is_answering,
            longest_wait=LONGEST_ANALYSIS_WAIT_SECONDS,
        )

    @property
    def name(self) -> str:
        """This worker, as leases and the register name it."""
        return self.registration.name

    @property
    def is_answering(self) -> bool:
        """Whether somebody waits for a reply that is being written; a batch job's items do not count."""
        with self._lock:
            return len(self._writing) > len(self._unhurried)

    @property
    def is_idle(self) -> bool:
        """Whether neither a reply nor background work is in progress or waiting in this process."""
        return not self._writing and self._embeddings.is_idle and self._analyses.is_idle

    @contextmanager
    def writing(
        self, *, tenant_id: UUID, reply_id: UUID, attempt: int, is_unhurried: bool = False
    ) -> Iterator[StopSignal]:
        """Keep the reply's lease alive for the length of the block, which is notified when the reply is stopped."""
        with self._lock:
            self._writing[reply_id] = (tenant_id, attempt)
            if is_unhurried:
                self._unhurried.add(reply_id)
            begun = self._throughput.begin()
            self._report_when_full()
        try:
            with self._stops.signal_of(reply_id) as stop:
                yield stop
        finally:
            with self._lock:
                self._writing.pop(reply_id, None)
                self._unhurried.discard(reply_id)
                self._throughput.end(begun, is_measured=not is_unhurried)

    def _report_when_full(self) -> None:
        """At once, since whoever asks next has to wait; that a slot is free again comes with the next heartbeat."""
        if len(self._writing) in {self.capacity - self.reserved, self.capacity}:
            self.host.changed.set()

    @property
    def spare_engine(self) -> SpareEngine:
        """The engine for what nobody waits for."""
        return SpareEngine(
            model=self.host,
            alias=settings.MODEL_NAME,
            is_stopping=lambda: self.stopping,
            is_answering=lambda: self.is_answering,
        )

    @property
    def stopping(self) -> bool:
        """Whether the worker is shutting down; replies then give themselves back."""
        return self._stopping.is_set()

    def embed_later(self, *, tenant_id: UUID, version_id: UUID) -> None:
        """Compute the vectors of an article version when nobody waits for an answer."""
        self._embeddings.add(tenant_id, version_id)

    def analyse_later(self, *, tenant_id: UUID, job_id: UUID) -> None:
        """Analyse a finished answer when nobody waits for one."""
        self._analyses.add(tenant_id, job_id)

    def begin_heartbeat(self) -> None:
        """Renew leases, report readiness and listen for stopped replies in the background until `stop`."""
        self._stops.start()
        # Two threads: a lease, which stands in the database, must not run out while Redis keeps a report waiting.
        for name, target in {"leases": self._renew_forever, "heartbeat": self._report_forever}.items():
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._heartbeats.append(thread)

    def drain(self, *, seconds: float) -> None:
        """Let replies in progress finish for a while, then give the rest back to the queue."""
        self._draining.set()
        self.report()
        deadline = time.monotonic() + seconds
        while self._in_progress() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._stopping.set()
        for reply_id, (tenant_id, attempt) in self._in_progress().items():
            released = release_reply(tenant_id=tenant_id, reply_id=reply_id, attempt=attempt)
            logger.info("reply_released", reply_id=str(reply_id), released=released)

    def stop(self) -> None:
        """Shut the engine down and take back the readiness report."""
        self._stopping.set()
        self._stops.stop()
        self.host.changed.set()
        for thread in self._heartbeats:
            thread.join(STOP_HEARTBEAT_SECONDS)
        self.registration.withdraw()
        self._embeddings.stop()
        self._analyses.stop()
        self.host.stop()

    def _embed(self, tenant_id: UUID, version_id: UUID) -> bool:
        embed_version(tenant_id, version_id, self.embedder)
        return False

    def _analyse(self, tenant_id: UUID, job_id: UUID) -> bool:
        self._analysing = (tenant_id, job_id)
        try:
            return run_analysis(self.spare_engine, tenant_id=tenant_id, job_id=job_id)
        finally:
            self._analysing = None

    def _in_progress(self) -> dict[UUID, tuple[UUID, int]]:
        with self._lock:
            return dict(self._writing)

    def _renew_forever(self) -> None:
        while not self._stopping.wait(HEARTBEAT_SECONDS):
            try:
                self._renew()
            except DatabaseError as error:
                logger.warning("leases_not_renewed", error=type(error).__name__)
            finally:
                connection.close()

    def _report_forever(self) -> None:
        while not self._stopping.is_set():
            # A change of state is reported at once, everything else every few seconds.
            self.host.changed.wait(HEARTBEAT_SECONDS)
            self.host.changed.clear()
            if not self._stopping.is_set():
                self.report()

    def _renew(self) -> None:
        by_tenant: dict[UUID, list[UUID]] = defaultdict(list)
        for reply_id, (tenant_id, _) in self._in_progress().items():
            by_tenant[tenant_id].append(reply_id)
        for tenant_id, reply_ids in by_tenant.items():
            for stopped in renew_leases(tenant_id=tenant_id, reply_ids=reply_ids, worker=self.name):
                self._stops.notify(stopped)
        if (analysing := self._analysing) is not None:
            renew_job(tenant_id=analysing[0], job_id=analysing[1])

    def report(self) -> None:
        """Report what this worker serves, and how it fares, to the register."""
        self.registration.send(self.status())

    def status(self) -> WorkerStatus:
        """What is reported to the register."""
        state = WorkerState.DRAINING if self._draining.is_set() else STATE_OF_WORKER[self.host.state]
        seconds_per_reply, indexing = self._throughput.seconds_per_reply, len(self._embeddings)
        load = WorkerLoad(len(self._in_progress()), self.capacity, self.reserved, seconds_per_reply, indexing)
        return self.registration.serving(self.host, self.embedder, self.reranker, state=state, load=load)


_runtime: Runtime | None = None


def install(runtime: Runtime | None) -> None:
    """Make this the process' runtime."""
    global _runtime  # noqa: PLW0603
    _runtime = runtime


def runtime() -> Runtime:
    """The process' runtime; raises RuntimeError in a process that is no inference worker."""
    if _runtime is None:
        raise RuntimeError("This process holds no engine: start the inference worker (see docs/operations/running.md).")
    return _runtime

"""The register of inference workers: what each serves and how it fares, reported every few seconds, in one Redis hash."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, cast

import redis

from helpdesk.streams.writer import client

KEY = "glassdesk:workers"
FRESH_SECONDS = 12.0
FORGET_SECONDS = 3600.0
BUSY_SHARE = 0.5


class WorkerState(StrEnum):
    """The life of a worker: loading → warm → draining; stalled and restarting lead back to warm."""

    LOADING = "loading"
    WARM = "warm"
    STALLED = "stalled"
    RESTARTING = "restarting"
    DRAINING = "draining"
    FAILED = "failed"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class LoadStep:
    """One step of loading; `seconds` is None while it lasts."""

    name: str
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """One worker's report. Times are seconds since the epoch, sizes are bytes, 0 or empty while unknown.

    `alias` is the name by which assistants choose the model (empty for the desk's first one). `weights_bytes` is what
    the checkpoint takes on disk, `memory_bytes` what the worker and its engine's processes hold in memory.
    `writes` are the languages in which the model writes answers of its own; a model without any quotes.
    `processor_share` is how much of the processor time that the engine wanted lately it got (None when it did not work),
    `indexing` how many articles wait for their vectors here.
    """

    name: str
    queue: str
    state: WorkerState
    started_at: float
    at: float = 0.0
    alias: str = ""
    model: str = ""
    revision: str = ""
    precision: str = ""
    quantization: str = ""
    parameters: int = 0
    weights_bytes: int = 0
    memory_bytes: int = 0
    gpu_memory_bytes: int | None = None
    kv_cache_bytes: int = 0
    kv_cache_share: float = 0.0
    device: str = ""
    engine: str = ""
    engine_version: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    embedder: str = ""
    reranker: str = ""
    max_model_len: int = 0
    writes: tuple[str, ...] = ()
    max_sequences: int = 0
    restarts: int = 0
    writing: int = 0
    capacity: int = 0
    reserved: int = 0
    seconds_per_reply: float | None = None
    running: int = 0
    waiting: int = 0
    processor_share: float | None = None
    indexing: int = 0
    load_log: tuple[LoadStep, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether a reply sent now would be written now."""
        return self.state == WorkerState.WARM

    @property
    def is_starved(self) -> bool:
        """Whether the machine's other programs get more of what the engine wants than the engine does."""
        return self.ready and self.processor_share is not None and self.processor_share < BUSY_SHARE

    @property
    def is_present(self) -> bool:
        """Whether the worker serves or is about to."""
        return self.state not in {WorkerState.SILENT, WorkerState.FAILED}

    def to_json(self) -> dict[str, Any]:
        """As it is stored and printed."""
        return {**asdict(self), "ready": self.ready}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> WorkerStatus:
        """What `to_json` made; fields that another release wrote are ignored."""
        known = {each.name for each in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        values["state"] = WorkerState(values["state"])
        values["writes"] = tuple(values.get("writes", ()))
        values["load_log"] = tuple(LoadStep(**step) for step in values.get("load_log", ()))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that assistants may choose."""

    alias: str
    model: str
    precision: str
    is_warm: bool


def report_heartbeat(name: str, status: dict[str, Any]) -> None:
    """Say that the worker lives. Raises redis.RedisError."""
    client().hset(KEY, name, json.dumps({**status, "at": time.time()}))


def remove_heartbeat(name: str) -> None:
    """The worker has stopped in good order."""
    client().hdel(KEY, name)


def read_heartbeats() -> list[dict[str, Any]]:
    """What the workers that reported lately said; those that went silent long ago are forgotten."""
    now = time.time()
    return [status for status in _read_all() if now - status["at"] <= FRESH_SECONDS]


def read_workers(connection: redis.Redis | None = None) -> list[WorkerStatus]:
    """Every known worker by alias and age; one that reported nothing lately is silent. Raises redis.RedisError."""
    now = time.time()
    found = []
    for stored in _read_all(connection):
        silent = now - stored["at"] > FRESH_SECONDS
        with suppress(KeyError, TypeError, ValueError):  # a worker of another release
            found.append(WorkerStatus.from_json({**stored, "state": WorkerState.SILENT} if silent else stored))
    return sorted(found, key=lambda worker: (worker.alias, worker.state == WorkerState.SILENT, worker.started_at))


def served_models(workers: Iterable[WorkerStatus] | None = None) -> list[ServedModel]:
    """Each alias that a worker serves or is about to serve, once, the first model first. Raises redis.RedisError."""
    by_alias: dict[str, ServedModel] = {}
    for worker in read_workers() if workers is None else workers:
        known = by_alias.get(worker.alias)
        if worker.is_present and (known is None or (worker.ready and not known.is_warm)):
            by_alias[worker.alias] = ServedModel(worker.alias, worker.model, worker.precision, worker.ready)
    return [by_alias[alias] for alias in sorted(by_alias)]


def _read_all(connection: redis.Redis | None = None) -> list[dict[str, Any]]:
    connection = connection or client()
    rows = cast("dict[bytes, bytes]", connection.hgetall(KEY))
    now = time.time()
    known = []
    for name, encoded in rows.items():
        status = json.loads(encoded)
        if now - status["at"] > FORGET_SECONDS:
            connection.hdel(KEY, name)
        else:
            known.append(status)
    return known

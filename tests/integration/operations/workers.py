"""Rows of the register of workers, as the workers write them."""

from __future__ import annotations

import json
import time
from typing import Any

from helpdesk.queue.workers import KEY, LoadStep, WorkerState, WorkerStatus
from helpdesk.streams.writer import client


def status(name: str, *, state: str = "warm", **fields: Any) -> WorkerStatus:
    """A worker of the first model unless `alias` says otherwise."""
    alias = fields.get("alias", "")
    defaults: dict[str, Any] = {
        "queue": f"inference.{alias}" if alias else "inference",
        "started_at": time.time() - 300,
        "model": "SmolLM2-135M-Instruct (GPTQ Int4)",
        "precision": "int4",
        "load_log": (LoadStep("libraries", 12.5), LoadStep("weights", 3.0), LoadStep("warm_up", None)),
    }
    return WorkerStatus(name=name, state=WorkerState(state), **defaults | fields)


def report(*workers: WorkerStatus, age: float = 0.0) -> None:
    """Put the workers into the register as if each had reported `age` seconds ago."""
    for worker in workers:
        client().hset(KEY, worker.name, json.dumps({**worker.to_json(), "at": time.time() - age}))

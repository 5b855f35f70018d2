"""Liveness and readiness, one JSON object per component. No secret, no tenant's data."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from helpdesk.queue.workers import WorkerStatus, read_workers, served_models
from helpdesk.streams.writer import client


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The web process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Everything that an answer needs: 200 when all components are ready, else 503 with what is missing."""
    state = readiness()
    return JsonResponse(state, status=200 if state["ready"] else 503)


def readiness() -> dict[str, Any]:
    """`ready`, and `components` with what each of them says."""
    components = {
        "database": _timed(_check_database),
        "redis": _timed(_check_redis),
        "inference": _timed(_check_inference),
    }
    return {"ready": all(component["ready"] for component in components.values()), "components": components}


def _timed(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    begun = time.perf_counter()
    result = check()
    return {**result, "ms": round((time.perf_counter() - begun) * 1000, 1)}


def _check_database() -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return {"ready": False, "detail": "PostgreSQL does not answer."}
    return {"ready": True}


def _check_redis() -> dict[str, Any]:
    try:
        client().ping()
    except redis.RedisError:
        return {"ready": False, "detail": "Redis does not answer."}
    return {"ready": True}


def _check_inference() -> dict[str, Any]:
    """Ready when the desk's first model is warm; each model's own state stands beside it."""
    try:
        workers = [worker for worker in read_workers() if worker.is_present]
    except (redis.RedisError, json.JSONDecodeError):
        return {"ready": False, "detail": "Redis does not answer, so the workers are unknown."}
    warm = [worker for worker in workers if worker.ready]
    state: dict[str, Any] = {
        "workers": len(workers),
        "warm": len(warm),
        "indexing": sum(worker.indexing for worker in warm),
        "models": _models(workers),
    }
    if not any(worker.alias == "" for worker in warm):
        return {"ready": False, "detail": "No inference worker is warm.", **state}
    if starved := [worker.processor_share or 0.0 for worker in warm if worker.is_starved]:
        state["detail"] = f"The machine is busy: an engine gets {min(starved):.0%} of the processor time that it wants."
    return {"ready": True, **state}


def _models(workers: list[WorkerStatus]) -> list[dict[str, Any]]:
    """Each served model with the states of its workers."""
    return [
        {
            "alias": served.alias,
            "model": served.model,
            "precision": served.precision,
            "ready": served.is_warm,
            "workers": [worker.state for worker in workers if worker.alias == served.alias],
        }
        for served in served_models(workers)
    ]


urlpatterns = [path("live", live, name="health-live"), path("ready", ready, name="health-ready")]

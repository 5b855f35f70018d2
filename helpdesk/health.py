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

from helpdesk.streams.writer import client
from helpdesk.workers import read_heartbeats


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
    try:
        workers = read_heartbeats()
    except (redis.RedisError, json.JSONDecodeError):
        return {"ready": False, "detail": "Redis does not answer, so the workers are unknown."}
    warm = [worker for worker in workers if worker["ready"]]
    if not warm:
        return {"ready": False, "detail": "No inference worker is warm.", "workers": len(workers)}
    return {"ready": True, "workers": len(warm), "models": sorted({str(worker["model"]) for worker in warm})}


urlpatterns = [path("live", live, name="health-live"), path("ready", ready, name="health-ready")]

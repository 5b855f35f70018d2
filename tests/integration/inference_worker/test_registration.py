"""A running worker in the register and in the metrics: what it serves, when it freezes, what its answers count."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from prometheus_client import REGISTRY
from pytest_django import Settings

from helpdesk.queue.workers import KEY, WorkerState, WorkerStatus, read_workers
from helpdesk.streams.writer import client as redis_client
from helpdesk.tenants.models import Tenant
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.registration import Registration
from inference_worker.runtime import Runtime
from inference_worker.worker import check_queue
from tests.factories import make_question
from tests.integration.inference_worker.conftest import wait_for

QUESTION = "How many working days does express delivery take?"
UNKNOWN = "Who won the chess championship?"


def reported(worker: Runtime) -> WorkerStatus | None:
    return next((each for each in read_workers() if each.name == worker.name), None)


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_the_worker_says_what_it_serves(worker: Runtime) -> None:
    worker.report()
    status = reported(worker)
    assert status is not None
    assert (status.state, status.alias, status.queue, status.model) == ("warm", "", "inference", "scripted")
    assert (status.engine, status.device, status.max_model_len, status.max_sequences) == ("scripted", "cpu", 2048, 16)
    assert status.memory_bytes > 10_000_000
    assert status.embedder == "scripted"
    assert [step.name for step in status.load_log] == ["embedder", "reranker"]


def test_a_frozen_engine_makes_the_desk_not_ready_until_it_answers(
    worker: Runtime, engine: ScriptedEngine, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stale in read_workers():
        if stale.name != worker.name:
            redis_client().hdel(KEY, stale.name)
    monkeypatch.setattr(worker.host, "_stall_seconds", 0.3)
    restarts = worker.host.restarts
    assert client.get("/health/ready").status_code == 200
    engine.frozen = True
    try:
        # Told at once, not with the next heartbeat: the engine is asked every two seconds.
        wait_for(lambda: client.get("/health/ready").status_code == 503)
        status = reported(worker)
        assert status is not None and status.state == WorkerState.STALLED
    finally:
        engine.frozen = False
    wait_for(lambda: client.get("/health/ready").status_code == 200)
    assert worker.host.restarts == restarts


def test_an_answer_and_a_refusal_are_counted_with_their_times_and_tokens(worker: Runtime, shop: Tenant) -> None:
    names = {
        "answered": ("glassdesk_replies_total", {"outcome": "answered", "channel": "widget", "reason": ""}),
        "refused": ("glassdesk_replies_total", {"outcome": "refused", "channel": "widget", "reason": ""}),
        "first": ("glassdesk_time_to_first_token_seconds_count", {"channel": "widget"}),
        "queue": ("glassdesk_queue_wait_seconds_count", {"channel": "widget"}),
        "context": ("glassdesk_context_tokens_count", {}),
        "between": ("glassdesk_inter_token_seconds_count", {}),
        "tokens": ("glassdesk_generated_tokens_total", {}),
        "prompt": ("glassdesk_prompt_tokens_total", {}),
    }

    def now() -> dict[str, float]:
        return {key: count(name, **labels) for key, (name, labels) in names.items()}

    before = now()
    make_question(shop, QUESTION)
    make_question(shop, UNKNOWN)
    wait_for(lambda: count("glassdesk_queue_wait_seconds_count", channel="widget") >= before["queue"] + 2)
    gained = {key: value - before[key] for key, value in now().items()}
    assert {key: gained[key] for key in ("answered", "refused", "first", "queue", "context")} == {
        "answered": 1,
        "refused": 1,
        "first": 1,
        "queue": 2,
        "context": 1,
    }
    assert gained["tokens"] >= 5
    assert gained["between"] == gained["tokens"] - 1
    assert gained["prompt"] > gained["tokens"]


def test_the_engines_figures_are_read_at_the_scrape(worker: Runtime) -> None:
    assert count("glassdesk_engine_warm") == 1
    assert count("glassdesk_memory_bytes", part="processes") > 10_000_000
    assert count("glassdesk_engine_running_requests") == 0


@pytest.fixture
def loading() -> Iterator[Registration]:
    registration = Registration(name="loading:1")
    yield registration
    registration.end_loading()
    registration.withdraw()


def test_a_worker_is_seen_from_the_first_second_and_when_it_cannot_load(loading: Registration) -> None:
    def seen() -> tuple[str, list[str]]:
        status = next(each for each in read_workers() if each.name == loading.name)
        return status.state, [step.name for step in status.load_log]

    with loading.load_log.step("libraries"):
        loading.begin_loading()
        assert seen() == ("loading", ["libraries"])
    loading.end_loading(failed=True)
    assert seen() == ("failed", ["libraries"])
    loading.withdraw()
    assert [each.name for each in read_workers() if each.name == loading.name] == []


def test_a_worker_must_take_the_queue_of_the_model_that_it_registers(settings: Settings) -> None:
    check_queue({"inference", "other"})
    settings.MODEL_NAME = "large"
    check_queue({"inference.large"})
    with pytest.raises(ImproperlyConfigured, match=r"does not consume the queue inference\.large"):
        check_queue({"inference"})

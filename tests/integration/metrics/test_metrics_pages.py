"""`/metrics` of the web process and of a worker: who may read it, what it says, and what it never says."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from prometheus_client import REGISTRY, CollectorRegistry, Gauge
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from conversations.domain import post_person_message
from conversations.failures import FailureCode
from conversations.metrics import FAILED
from conversations.replies import fail_reply
from helpdesk.metrics.collectors import queue_depths
from helpdesk.metrics.serving import serve_metrics
from helpdesk.metrics.web import CountedSockets, MetricsMiddleware
from helpdesk.permissions import Role
from helpdesk.queue.celery import app
from helpdesk.queue.workers import KEY
from helpdesk.streams.writer import client as redis_client
from tests.factories import make_question, make_tenant, make_user
from tests.integration.operations.workers import report, status

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)
SECRET = "PERSONAL-WORDS-4711"


@pytest.fixture(autouse=True)
def register() -> Iterator[None]:
    redis_client().delete(KEY)
    yield
    redis_client().delete(KEY)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def read(client: Client, **environment: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    response = client.get("/metrics", **environment)
    assert response.status_code == 200, response.content
    return samples(response.content.decode())


def value(found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def test_outsiders_and_what_a_proxy_forwards_are_refused(client: Client) -> None:
    for environment in ({"REMOTE_ADDR": "203.0.113.9"}, {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, {"REMOTE_ADDR": ""}):
        response = client.get("/metrics", **environment)
        assert response.status_code == 403
        assert b"glassdesk_" not in response.content.lower().replace(b"glassdesk_metrics_token", b"")


def test_signing_in_opens_nothing(client: Client) -> None:
    client.force_login(
        make_user(make_tenant(), Role.OWNER), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403


def test_with_a_token_even_this_machine_has_to_show_it(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "sesame-sesame"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer sesame").status_code == 403
    assert (
        client.get("/metrics", HTTP_AUTHORIZATION="Bearer sesame-sesame", REMOTE_ADDR="203.0.113.9").status_code == 200
    )


def test_requests_are_counted_by_route_without_what_stands_in_the_address(client: Client) -> None:
    before = value(read(client), "glassdesk_http_requests_total", route="knowledge:list", status="4xx") or 0
    client.force_login(make_user(), backend="allauth.account.auth_backends.AuthenticationBackend")
    client.get(reverse("knowledge:list", args=["secret-company"]))
    client.get("/never/heard/of/this-path/")
    response = client.get("/metrics")
    found = samples(response.content.decode())
    assert value(found, "glassdesk_http_requests_total", route="knowledge:list", status="4xx") == before + 1
    assert (value(found, "glassdesk_http_requests_total", route="unknown", status="4xx") or 0) >= 1
    assert b"secret-company" not in response.content
    assert b"this-path" not in response.content


def test_components_workers_and_models(client: Client) -> None:
    found = read(client)
    assert value(found, "glassdesk_component_up", component="database") == 1
    assert value(found, "glassdesk_component_up", component="redis") == 1
    assert value(found, "glassdesk_model_warm", alias="default") == 0
    report(status("a", state="warm"), status("b", state="loading"), status("c", state="stalled", alias="large"))
    found = read(client)
    assert value(found, "glassdesk_model_warm", alias="default") == 1
    assert value(found, "glassdesk_model_warm", alias="large") == 0
    assert value(found, "glassdesk_workers", alias="default", state="warm") == 1
    assert value(found, "glassdesk_workers", alias="default", state="loading") == 1
    assert value(found, "glassdesk_workers", alias="large", state="stalled") == 1


def test_a_model_whose_workers_are_lost_is_cold_and_not_forgotten(client: Client) -> None:
    report(status("a"))
    report(status("b", alias="large"), age=60)
    found = read(client)
    assert [value(found, "glassdesk_model_warm", alias=alias) for alias in ("default", "large")] == [1, 0]


def test_without_redis_it_still_answers_and_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr("helpdesk.metrics.collectors.read_workers", away)
    found = read(client)
    assert value(found, "glassdesk_component_up", component="redis") == 0
    assert value(found, "glassdesk_component_up", component="database") == 1


@committed
def test_queue_depth_is_read_from_the_broker_by_priority_step() -> None:
    queue = f"depth-{uuid.uuid4()}"
    steps = app.conf.broker_transport_options["priority_steps"]
    for step in (steps[0], steps[-1], steps[-1]):
        app.send_task("nothing", kwargs={}, queue=queue, priority=step)
    depths = queue_depths([queue])
    assert {step: count for (_, step), count in depths.items() if count} == {steps[0]: 1, steps[-1]: 2}


@committed
def test_a_scrape_reads_no_row_of_a_tenant_and_tells_none(client: Client, django_assert_num_queries: Any) -> None:
    tenant = make_tenant("very-secret-company", name="Very Secret")
    conversation, _, reply = make_question(tenant, SECRET)
    assert reply is not None
    post_person_message(tenant_id=tenant.id, conversation_id=conversation.id, user=make_user(tenant), body=SECRET)
    fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=None, code=FailureCode.SUPERSEDED)
    with django_assert_num_queries(1) as queries:
        response = client.get("/metrics")
    assert [query["sql"] for query in queries.captured_queries] == ["SELECT 1"]
    text = response.content.decode()
    for secret in (SECRET, "very-secret", "Very Secret", str(tenant.id), str(conversation.id), str(reply.id)):
        assert secret not in text


@committed
def test_a_failed_reply_is_counted_once_and_only_when_it_ended(client: Client) -> None:
    labels = {"outcome": FAILED, "channel": "widget", "reason": "deadline"}
    tenant = make_tenant()
    _, _, reply = make_question(tenant)
    assert reply is not None
    before = value(read(client), "glassdesk_replies_total", **labels) or 0
    assert fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=None, code=FailureCode.DEADLINE)
    assert not fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=None, code=FailureCode.DEADLINE)
    assert value(read(client), "glassdesk_replies_total", **labels) == before + 1


async def test_open_websockets_are_counted_by_kind_however_they_end() -> None:
    from helpdesk.metrics.web import WEBSOCKETS

    seen = []

    async def socket_that_breaks(scope: Any, receive: Any, send: Any) -> None:
        seen.append(WEBSOCKETS.labels("widget")._value.get())
        raise RuntimeError

    before = WEBSOCKETS.labels("widget")._value.get()
    with pytest.raises(RuntimeError):
        await CountedSockets(socket_that_breaks)({"path": "/ws/widget/mossgate/"}, None, None)
    assert (seen, WEBSOCKETS.labels("widget")._value.get()) == ([before + 1], before)


# --- A worker's own ------------------------------------------------------------------------------------------------


@pytest.fixture
def worker_url(settings: Settings) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.METRICS_PORT = probe.getsockname()[1]
    registry = CollectorRegistry()
    Gauge("glassdesk_sample", "For the test.", registry=registry).set(7)
    server = serve_metrics(registry)
    assert server is not None
    yield f"http://127.0.0.1:{settings.METRICS_PORT}/metrics"
    server.shutdown()
    server.server_close()


def fetch(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_worker_serves_its_own(worker_url: str, settings: Settings) -> None:
    assert value(samples(fetch(worker_url)[1]), "glassdesk_sample") == 7
    assert fetch(worker_url, **{"X-Forwarded-For": "203.0.113.9"})[0] == 403
    settings.METRICS_TOKEN = "sesame-sesame"
    assert fetch(worker_url)[0] == 403
    assert fetch(worker_url, Authorization="Bearer sesame-sesame")[0] == 200


def test_a_worker_whose_port_is_taken_works_without(worker_url: str) -> None:
    assert serve_metrics(CollectorRegistry()) is None


def test_a_worker_serves_nothing_unless_it_is_told_where(settings: Settings) -> None:
    settings.METRICS_PORT = 0
    assert serve_metrics(CollectorRegistry()) is None


# --- Readiness -----------------------------------------------------------------------------------------------------


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/health/ready")
    return response.status_code, json.loads(response.content)["components"]["inference"]


def test_readiness_follows_the_first_model_and_names_every_other(client: Client) -> None:
    code, inference = ready(client)
    assert (code, inference["ready"], inference["models"]) == (503, False, [])
    report(status("a", state="loading"), status("b", state="warm", alias="large", model="Large"))
    code, inference = ready(client)
    assert (code, [model["ready"] for model in inference["models"]]) == (503, [False, True])
    report(status("a", state="warm"), status("b", state="stalled", alias="large", model="Large"))
    code, inference = ready(client)
    assert code == 200
    assert [(model["alias"], model["ready"], model["workers"]) for model in inference["models"]] == [
        ("", True, ["warm"]),
        ("large", False, ["stalled"]),
    ]


@pytest.mark.parametrize("state", ["loading", "stalled", "restarting", "draining", "failed"])
def test_only_a_warm_worker_makes_the_desk_ready(client: Client, state: str) -> None:
    report(status("a", state=state))
    assert ready(client)[0] == 503


def test_a_worker_that_went_silent_is_not_ready(client: Client) -> None:
    report(status("a", state="warm"), age=60)
    assert ready(client)[0] == 503


async def test_an_async_view_holds_no_thread_because_it_is_counted() -> None:
    async def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=204)

    counted = MetricsMiddleware(answer)
    assert iscoroutinefunction(counted)
    before = REGISTRY.get_sample_value("glassdesk_http_requests_total", {"route": "unknown", "status": "2xx"}) or 0
    assert (await counted(RequestFactory().get("/nowhere"))).status_code == 204
    after = REGISTRY.get_sample_value("glassdesk_http_requests_total", {"route": "unknown", "status": "2xx"})
    assert after == before + 1

"""Analyses go to a worker that serves the model that wrote the answer; when none does, nobody measures another one silently."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from helpdesk.permissions import Role
from helpdesk.queue.workers import KEY, WorkerStatus
from helpdesk.streams.writer import client as redis_client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.api_access import api_call
from tests.factories import make_api_key, make_tenant, make_user
from tests.integration.operations.workers import report, status
from tests.integration.tracing.rows import make_trace
from tests.unit.tracing.samples import make_content
from tracing import queueing
from tracing.jobs import recover_jobs, request_analysis
from tracing.models import AnalysisJob, AnalysisKind, JobState, Trace
from tracing.serving import other_models

pytestmark = pytest.mark.django_db(transaction=True)

ENGINE = make_content().engine
assert ENGINE is not None
WRITER = {"model": ENGINE.model, "quantization": ENGINE.quantization}
OTHER = {"model": "Big-8B", "quantization": "gptq-int8"}


@pytest.fixture(autouse=True)
def register() -> Iterator[None]:
    redis_client().delete(KEY)
    yield
    redis_client().delete(KEY)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues of the tasks that would have been sent."""
    queues: list[str] = []
    monkeypatch.setattr(queueing.app, "send_task", lambda *_, queue, **__: queues.append(queue))
    return queues


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def trace(tenant: Tenant) -> Trace:
    return make_trace(tenant)


def ask(trace: Trace, kind: AnalysisKind = AnalysisKind.ATTRIBUTION, **parameters: Any) -> tuple[str, str]:
    """State and error code of a new job."""
    with tenant_atomic(trace.tenant_id):
        job = request_analysis(trace, kind=kind, parameters=parameters)
        job.refresh_from_db()
        return job.state, job.error_code


WAITING, FAILED = ("queued", ""), ("failed", "model_unavailable")


@pytest.mark.parametrize(
    ("workers", "expected", "queues"),
    [
        ([status("a", **WRITER), status("b", alias="large", **OTHER)], WAITING, ["inference"]),
        ([status("a", **OTHER), status("b", alias="small", **WRITER)], WAITING, ["inference.small"]),
        ([status("a", **OTHER), status("b", state="stalled", alias="small", **WRITER)], WAITING, ["inference.small"]),
        # The same model in another precision is another model.
        ([status("a", model=WRITER["model"], quantization="gptq-int8")], FAILED, []),
        ([status("a", **OTHER), status("b", state="failed", alias="small", **WRITER)], FAILED, []),
        # What a worker loads it knows only when it is done.
        ([status("a", **OTHER), status("b", state="loading", alias="small", model="packaged")], WAITING, []),
        ([], WAITING, []),
    ],
    ids=["first", "further", "stalled", "precision", "failed", "loading", "nobody"],
)
def test_an_analysis_goes_to_those_who_serve_the_model_that_wrote(
    trace: Trace, sent: list[str], workers: list[WorkerStatus], expected: tuple[str, str], queues: list[str]
) -> None:
    report(*workers)
    assert [ask(trace, kind) for kind in AnalysisKind] == [expected] * 3
    assert sent == queues * 3


def test_a_warm_worker_is_preferred_to_one_that_restarts(trace: Trace, sent: list[str]) -> None:
    report(status("a", state="restarting", **WRITER), status("b", alias="small", **WRITER))
    assert (ask(trace), sent) == (WAITING, ["inference.small"])


def test_another_model_is_asked_only_when_somebody_chose_it(trace: Trace, sent: list[str]) -> None:
    report(status("a", **WRITER), status("b", alias="large", **OTHER))
    assert ask(trace, AnalysisKind.REPLAY, model="large") == WAITING
    assert ask(trace, AnalysisKind.REPLAY, model=WRITER["model"]) == WAITING
    assert ask(trace, AnalysisKind.REPLAY, model="Big-8B") == FAILED
    assert sent == ["inference.large", "inference"]


def test_the_sweep_sends_what_waits_and_gives_up_what_nobody_serves(
    tenant: Tenant, trace: Trace, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise redis.ConnectionError

    def sweep() -> tuple[str, str]:
        with tenant_atomic(tenant.id):
            AnalysisJob.objects.update(queued_at=timezone.now() - timedelta(minutes=5))
        recover_jobs(tenant.id)
        with tenant_atomic(tenant.id):
            return AnalysisJob.objects.values_list("state", "error_code").get()

    assert ask(trace) == WAITING
    assert (sweep(), sent) == (WAITING, [])
    report(status("b", alias="small", **WRITER), status("a", **OTHER))
    assert (sweep(), sent) == (WAITING, ["inference.small"])
    with monkeypatch.context() as patched:
        patched.setattr("tracing.serving.read_workers", away)
        assert (sweep(), sent) == (WAITING, ["inference.small"])
    redis_client().hdel(KEY, "b")
    assert (sweep(), sent) == (FAILED, ["inference.small"])
    with tenant_atomic(tenant.id):
        assert AnalysisJob.objects.get().finished_at is not None


def test_rest_says_at_once_that_nobody_serves_the_model_and_takes_another_only_by_name(
    tenant: Tenant, trace: Trace, sent: list[str]
) -> None:
    key, path = make_api_key(tenant), f"/api/v1/traces/{trace.id}/analyses"
    report(status("a", **OTHER))
    asked = api_call("POST", path, key, {"kind": "replay"})
    assert (asked.status_code, asked.json()["state"], asked.json()["error"]) == (202, "failed", "model_unavailable")
    chosen = api_call("POST", path, key, {"kind": "replay", "model": "Big-8B"}).json()
    assert (chosen["state"], chosen["parameters"]["model"], sent) == ("queued", "Big-8B", ["inference"])
    for wrong in ("small", WRITER["model"], "", 3):
        refused = api_call("POST", path, key, {"kind": "replay", "model": wrong})
        assert (refused.status_code, refused.json()["error"]["parameter"]) == (400, "model")


def test_the_page_says_so_and_offers_the_other_models(
    tenant: Tenant, trace: Trace, sent: list[str], client: Client
) -> None:
    user = make_user(tenant, Role.REVIEWER)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    report(status("a", **OTHER), status("b", alias="tiny", model="Tiny", quantization="none"))
    url = reverse("tracing:analyse", args=[tenant.slug, trace.reply_id])
    data = {"reason": "complaint 4711", "kind": "replay"}
    page = client.post(url, data).content.decode()
    assert "No worker is serving the model this needs" in page
    assert [f'<option value="{name}">' in page for name in ("Big-8B", "tiny", WRITER["model"])] == [True, True, False]
    assert "Queued; runs when the engine is idle" in client.post(url, {**data, "model": "tiny"}).content.decode()
    assert sent == ["inference.tiny"]
    assert client.post(url, {**data, "model": "absent"}).status_code == 400


def test_while_the_register_is_away_no_other_model_is_offered(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise redis.ConnectionError

    report(status("a", **OTHER))
    monkeypatch.setattr("tracing.serving.read_workers", away)
    assert other_models(trace) == []
    assert ask(trace)[0] == JobState.QUEUED

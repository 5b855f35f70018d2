"""The register of models: what workers report, who sees the page, and what it and the command show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

import pytest
import redis
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.queue.workers import (
    KEY,
    LoadStep,
    WorkerState,
    WorkerStatus,
    read_heartbeats,
    read_workers,
    served_models,
)
from helpdesk.streams.writer import client as redis_client
from helpdesk.tenants.models import Tenant
from tests.factories import make_tenant, make_user
from tests.integration.operations.workers import report, status

pytestmark = pytest.mark.django_db
SEERS = [Role.OWNER, Role.ADMIN]
# Session, person, then savepoint, scope and membership of `desk_view`; the page itself asks Redis only.
PAGE_QUERIES = 11


@pytest.fixture(autouse=True)
def register() -> Iterator[None]:
    redis_client().delete(KEY)
    yield
    redis_client().delete(KEY)


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def url(tenant: Tenant) -> str:
    return reverse("operations:models", args=[tenant.slug])


def sign_in(client: Client, tenant: Tenant, role: Role) -> Client:
    client.force_login(make_user(tenant, role), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


# --- The register --------------------------------------------------------------------------------------------------


def test_a_status_comes_back_as_it_was_reported() -> None:
    sent = status("a", parameters=134_515_008, libraries={"torch": "2.13"}, gpu_memory_bytes=None, restarts=2)
    report(sent)
    (found,) = read_workers()
    assert found == WorkerStatus.from_json({**sent.to_json(), "at": found.at})
    assert found.load_log == (LoadStep("libraries", 12.5), LoadStep("weights", 3.0), LoadStep("warm_up", None))


def test_a_worker_that_says_nothing_any_more_is_silent_and_then_forgotten() -> None:
    report(status("fresh"))
    report(status("quiet"), age=30)
    report(status("gone"), age=4000)
    assert {worker.name: worker.state for worker in read_workers()} == {
        "fresh": WorkerState.WARM,
        "quiet": WorkerState.SILENT,
    }
    assert [beat["name"] for beat in read_heartbeats()] == ["fresh"]
    assert redis_client().hexists(KEY, "gone") is False


def test_what_another_release_reported_is_left_out() -> None:
    redis_client().hset(KEY, "old", json.dumps({"ready": True, "model": "x", "at": 9e9}))
    redis_client().hset(KEY, "new", json.dumps({**status("new").to_json(), "at": 9e9, "a_later_field": 1}))
    assert [worker.name for worker in read_workers()] == ["new"]


def test_each_name_is_served_once_and_by_the_warm_worker() -> None:
    report(status("a", state="loading", model="cold"), status("b", model="warm"))
    report(status("c", state="failed", alias="broken"), status("d", state="stalled", alias="large", model="Large"))
    report(status("e", alias="gone"), age=60)
    assert [(model.alias, model.model, model.is_warm) for model in served_models()] == [
        ("", "warm", True),
        ("large", "Large", False),
    ]


# --- The page ------------------------------------------------------------------------------------------------------


def test_an_anonymous_person_has_to_sign_in(client: Client, tenant: Tenant) -> None:
    response = client.get(url(tenant))
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("role", list(Role))
def test_owners_and_admins_see_it_and_nobody_else(client: Client, tenant: Tenant, role: Role) -> None:
    report(status("a", model="A model of ours"))
    response = sign_in(client, tenant, role).get(url(tenant))
    assert response.status_code == (200 if role in SEERS else 403)
    assert (b"A model of ours" in response.content) == (role in SEERS)


def test_the_owner_of_another_company_gets_nothing(client: Client, tenant: Tenant) -> None:
    assert sign_in(client, make_tenant(), Role.OWNER).get(url(tenant)).status_code == 404


def test_the_page_cannot_be_written_to(client: Client, tenant: Tenant) -> None:
    assert sign_in(client, tenant, Role.OWNER).post(url(tenant)).status_code == 405


def test_the_page_links_itself_to_those_who_may_see_it(client: Client, tenant: Tenant) -> None:
    inbox = reverse("desk:inbox", args=[tenant.slug])
    assert url(tenant).encode() in sign_in(client, tenant, Role.ADMIN).get(inbox).content
    assert url(tenant).encode() not in sign_in(client, tenant, Role.REVIEWER).get(inbox).content


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_shows_each_worker_with_one_number_of_queries(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: object
) -> None:
    for number in range(count):
        report(status(f"worker-{number}", parameters=134_515_008, weights_bytes=114_620_808, kv_cache_bytes=1 << 30))
    sign_in(client, tenant, Role.OWNER)
    with django_assert_num_queries(PAGE_QUERIES):  # type: ignore[operator]
        page = client.get(url(tenant)).content.decode()
    assert page.count('class="card worker"') == count
    for words in ("Ready", "int4", "134.5 million", "109.3\xa0MB", "Libraries imported", "12.5 s", "inference"):
        assert words in page


def test_the_page_names_states_in_chinese_too(client: Client, tenant: Tenant) -> None:
    report(status("a", state="loading"))
    sign_in(client, tenant, Role.OWNER)
    client.cookies["django_language"] = "zh-hans"
    page = client.get(url(tenant)).content.decode()
    assert "加载中" in page
    assert "Loading" not in page


def test_an_empty_register_says_what_to_do(client: Client, tenant: Tenant) -> None:
    assert b"Start an inference worker" in sign_in(client, tenant, Role.OWNER).get(url(tenant)).content


def test_without_redis_the_page_says_so(client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise redis.ConnectionError

    monkeypatch.setattr("helpdesk.operations.views.read_workers", away)
    assert sign_in(client, tenant, Role.OWNER).get(url(tenant)).status_code == 503


# --- The command ---------------------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("models", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_a_row_for_each_worker_and_its_load_log() -> None:
    report(status("host:1", restarts=3), status("host:2", state="loading", alias="large", precision=""))
    first, second = (line for line in run().splitlines() if "inference" in line)
    assert [word for word in ("default", "int4", "Ready", "3") if word not in first] == []
    assert [word for word in ("large", "Loading", "inference.large") if word not in second] == []
    assert "host:1: Libraries imported 12.5 s, Weights loaded 3.0 s, First tokens …" in run()


def test_the_command_prints_json_for_programs() -> None:
    report(status("host:1"))
    (worker,) = json.loads(run("--json"))
    assert (worker["name"], worker["state"], worker["ready"], worker["precision"]) == ("host:1", "warm", True, "int4")


def test_the_command_says_when_there_is_nothing_to_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No inference worker has reported" in run()

    def away() -> None:
        raise redis.ConnectionError

    monkeypatch.setattr("helpdesk.operations.management.commands.models.read_workers", away)
    with pytest.raises(CommandError, match="Redis does not answer"):
        run()


def test_a_machine_that_leaves_the_engine_little_is_called_busy_and_stays_ready(client: Client) -> None:
    def inference() -> dict[str, object]:
        response = client.get("/health/ready")
        assert response.status_code == 200
        return dict(response.json()["components"]["inference"])

    report(status("a", processor_share=0.83, indexing=7))
    assert (inference().get("detail"), inference()["indexing"]) == (None, 7)
    report(status("a", processor_share=0.31))
    assert inference()["detail"] == "The machine is busy: an engine gets 31% of the processor time that it wants."
    report(status("a", processor_share=None))
    assert "detail" not in inference()

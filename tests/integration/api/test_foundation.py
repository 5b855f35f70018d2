"""What every endpoint for API clients shares: the door, the error body, limits, idempotency, pages."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.db import OperationalError, connections
from django.test import Client, RequestFactory
from django.utils import timezone

from conversations.models import Visitor
from helpdesk.api import limits
from helpdesk.api.errors import server_error
from helpdesk.api.idempotency import forget_answers_about
from helpdesk.api.models import IdempotentRequest
from helpdesk.api.tasks import forget_idempotent_requests
from helpdesk.api_keys.scopes import Scope
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.api_access import ApiEndpoint, api_call, check_access
from tests.factories import make_api_key, make_tenant
from tests.scopes import tenant_in_scope

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.integration.api.routes")]

PATH = "/api/v1/visitors"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def key(tenant: Tenant) -> str:
    return make_api_key(tenant)


def visitors(tenant: Tenant) -> list[Any]:
    with tenant_atomic(tenant.id):
        return list(Visitor.objects.order_by("id").values_list("id", flat=True))


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_the_matrix_of_callers(tenant: Tenant) -> None:
    for method, scope, status in (("GET", Scope.CONVERSATIONS_READ, 200), ("POST", Scope.CONVERSATIONS_WRITE, 201)):
        endpoint = ApiEndpoint(method, PATH, scope, status, body={} if method == "POST" else None)
        check_access(endpoint, tenant, rows=lambda: visitors(tenant), is_about_one=False)


def test_a_list_shows_the_callers_tenant_only(tenant: Tenant, key: str) -> None:
    other = make_tenant()
    assert api_call("POST", PATH, make_api_key(other), {}).status_code == 201
    mine = api_call("POST", PATH, key, {}).json()["id"]
    assert api_call("GET", PATH, key).json() == {"data": [mine], "next": None}


@pytest.mark.parametrize(
    "header", ["Basic Z2Q6eA==", "Bearer", "Bearer  ", "Token gd_x", "bearer gd_x_y_z", "Bearer gd_\x7f"]
)
def test_odd_credentials_are_refused_with_one_answer(header: str) -> None:
    response = Client().get(PATH, headers={"Authorization": header})
    assert code_of(response) == (401, "invalid_api_key")
    assert response["WWW-Authenticate"] == 'Bearer realm="glassdesk"'
    assert tenant_in_scope() is None


def test_a_session_cookie_means_nothing(tenant: Tenant, client: Client) -> None:
    from tests.factories import make_user

    client.force_login(make_user(tenant))
    assert client.get(PATH).status_code == 401


def test_every_refusal_has_the_same_body(key: str) -> None:
    def post(data: str, content_type: str = "application/json") -> Any:
        return Client().post(PATH, data, content_type=content_type, headers={"Authorization": f"Bearer {key}"})

    cases = [
        (api_call("GET", "/api/v1/nowhere", key), 404, "unknown_route"),
        (api_call("GET", "/api", None), 404, "unknown_route"),
        (Client(enforce_csrf_checks=True).post("/api/v1/nowhere"), 404, "unknown_route"),
        (api_call("PUT", PATH, key, {}), 405, "method_not_allowed"),
        (api_call("OPTIONS", PATH, key), 405, "method_not_allowed"),
        (api_call("GET", PATH, key, Accept="application/xml"), 406, "not_acceptable"),
        (post("<a/>", "application/xml"), 415, "unsupported_media_type"),
        (post("{"), 400, "unreadable_body"),
        (post('{"a": NaN}'), 400, "unreadable_body"),
        (post("[" * 1900), 400, "unreadable_body"),
        (post('{"a": "' + "x" * 2000 + '"}'), 413, "body_too_large"),
        (api_call("POST", PATH, key, {"then": "conflict"}), 409, "conflict"),
        (api_call("POST", PATH, key, {"then": "fault"}), 500, "error"),
        (api_call("POST", PATH, key, {"then": "database"}), 503, "unavailable"),
        (api_call("POST", PATH, key, {"then": "redis"}), 503, "unavailable"),
    ]
    for response, status, code in cases:
        assert code_of(response) == (status, code)
        assert set(response.json()) == {"error"}
        assert response.json()["error"]["message"]
        assert response["Content-Type"] == "application/json"


def test_a_server_that_is_away_says_when_to_come_back_also_when_the_key_cannot_be_given_back(
    tenant: Tenant, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("helpdesk.api.idempotency.settle", away)
    response = api_call("POST", PATH, key, {"then": "database"}, Idempotency_Key="k1")
    assert (code_of(response), response["Retry-After"]) == ((503, "unavailable"), "5")
    monkeypatch.undo()
    assert (
        code_of(api_call("POST", PATH, key, {"then": "database"}, Idempotency_Key="k1"))[1] == "idempotency_in_progress"
    )
    assert visitors(tenant) == []


def test_a_fault_has_the_shape_that_each_apis_callers_read(rf: RequestFactory) -> None:
    desks, openais = (server_error(rf.post(path)) for path in ("/api/v1/visitors", "/v1/chat/completions"))
    assert set(json.loads(desks.content)["error"]) == {"code", "message"}
    error = json.loads(openais.content)["error"]
    assert (openais.status_code, error.pop("message") != "") == (500, True)
    assert error == {"code": "error", "type": "server_error", "param": None}


def test_an_error_rolls_back_and_a_handler_without_a_scope_is_a_fault(tenant: Tenant, key: str) -> None:
    for then in ("conflict", "fault"):
        api_call("POST", PATH, key, {"then": then})
    assert visitors(tenant) == []
    assert api_call("GET", "/api/v1/undeclared", key).status_code == 500


def test_sentences_come_in_the_callers_language(key: str) -> None:
    response = api_call("GET", PATH, None, Accept_Language="zh-hans")
    assert "密钥" in response.json()["error"]["message"]


# --- Limits ------------------------------------------------------------------------------------------------------------


def test_a_key_is_limited_and_told_so(tenant: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # In the middle of a minute, which must not end in between.
    monkeypatch.setattr("helpdesk.api.limits.time", SimpleNamespace(time=lambda: 1_800_000_030.0))
    settings.API_TENANT_REQUESTS_PER_MINUTE = 1000
    key = make_api_key(tenant, requests_per_minute=2)
    answers = [api_call("GET", PATH, key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer["RateLimit-Limit"] for answer in answers} == {"2"}
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert code_of(answers[2]) == (429, "too_many_requests")
    assert api_call("GET", PATH, make_api_key(tenant)).status_code == 200


def test_all_keys_of_a_tenant_share_its_limit_and_no_one_elses(tenant: Tenant, settings: Any) -> None:
    settings.API_TENANT_REQUESTS_PER_MINUTE = 1
    statuses = [api_call("GET", PATH, make_api_key(tenant)).status_code for _ in range(2)]
    assert statuses == [200, 429]
    assert api_call("GET", PATH, make_api_key(make_tenant())).status_code == 200


def test_refused_scopes_count_and_without_redis_nothing_does(tenant: Tenant, monkeypatch: Any) -> None:
    key = make_api_key(tenant, [Scope.STATS_READ], requests_per_minute=1)
    assert [api_call("GET", PATH, key).status_code for _ in range(2)] == [403, 429]

    def away() -> Any:
        raise redis.ConnectionError

    monkeypatch.setattr(limits, "redis_client", away)
    response = api_call("GET", PATH, key)
    assert response.status_code == 403
    assert "RateLimit-Limit" not in response


# --- Idempotency -------------------------------------------------------------------------------------------------------


def test_a_repeated_post_is_carried_out_once(tenant: Tenant, key: str) -> None:
    first = api_call("POST", PATH, key, {"a": 1}, Idempotency_Key="k1")
    again = api_call("POST", PATH, key, {"a": 1}, Idempotency_Key="k1")
    assert (first.status_code, first.json(), first["Location"]) == (201, again.json(), again["Location"])
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert again.status_code == 201
    assert "RateLimit-Remaining" in again
    assert len(visitors(tenant)) == 1


def test_keys_of_idempotency_belong_to_one_api_key(tenant: Tenant, key: str) -> None:
    for each in (key, make_api_key(tenant), make_api_key(make_tenant())):
        assert api_call("POST", PATH, each, {}, Idempotency_Key="k1").status_code == 201
    assert len(visitors(tenant)) == 2


def test_another_request_with_the_same_key_is_refused(tenant: Tenant, key: str) -> None:
    api_call("POST", PATH, key, {"a": 1}, Idempotency_Key="k1")
    assert code_of(api_call("POST", PATH, key, {"a": 2}, Idempotency_Key="k1")) == (422, "idempotency_key_reused")
    assert len(visitors(tenant)) == 1


@pytest.mark.parametrize(("then", "status"), [("conflict", 409), ("fault", 500), ("database", 503)])
def test_a_failure_may_be_tried_again(tenant: Tenant, key: str, then: str, status: int) -> None:
    statuses = {api_call("POST", PATH, key, {"then": then}, Idempotency_Key="k1").status_code for _ in range(2)}
    assert statuses == {status}
    with tenant_atomic(tenant.id):
        assert IdempotentRequest.objects.count() == 0


def test_a_request_in_progress_is_not_begun_again_until_its_process_must_be_dead(tenant: Tenant, key: str) -> None:
    api_call("POST", PATH, key, {}, Idempotency_Key="k1")
    with tenant_atomic(tenant.id):
        IdempotentRequest.objects.update(status=None)
    assert code_of(api_call("POST", PATH, key, {}, Idempotency_Key="k1")) == (409, "idempotency_in_progress")
    with tenant_atomic(tenant.id):
        IdempotentRequest.objects.update(claimed_at=timezone.now() - timedelta(minutes=10))
    assert api_call("POST", PATH, key, {}, Idempotency_Key="k1").status_code == 201
    assert len(visitors(tenant)) == 2


def test_of_many_at_once_one_is_carried_out(tenant: Tenant, key: str) -> None:
    statuses: list[int] = []

    def post() -> None:
        statuses.append(api_call("POST", PATH, key, {}, Idempotency_Key="k1").status_code)
        connections.close_all()

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {201, 409}
    assert len(visitors(tenant)) == 1


def test_a_streamed_answer_is_not_repeated_and_neither_is_its_effect(tenant: Tenant, key: str) -> None:
    api_call("POST", PATH, key, {"then": "stream"}, Idempotency_Key="k1")
    again = api_call("POST", PATH, key, {"then": "stream"}, Idempotency_Key="k1")
    assert code_of(again) == (409, "idempotency_not_repeatable")
    assert len(visitors(tenant)) == 1


@pytest.mark.parametrize("wrong", ["", "a b\x7f", "a" * 256])
def test_odd_keys_of_idempotency_are_refused(tenant: Tenant, key: str, wrong: str) -> None:
    assert api_call("POST", PATH, key, {}, Idempotency_Key=wrong).status_code == 400
    assert visitors(tenant) == []


def test_kept_answers_go_with_their_subject_and_after_a_day(tenant: Tenant, key: str) -> None:
    made = api_call("POST", PATH, key, {}, Idempotency_Key="k1").json()["id"]
    with tenant_atomic(tenant.id):
        forget_answers_about(uuid.UUID(made))
        assert IdempotentRequest.objects.get().body == ""
    assert code_of(api_call("POST", PATH, key, {}, Idempotency_Key="k1")) == (409, "idempotency_not_repeatable")
    with tenant_atomic(tenant.id):
        IdempotentRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert api_call("POST", PATH, key, {}, Idempotency_Key="k1").status_code == 201
    with tenant_atomic(tenant.id):
        IdempotentRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        note(Kind.IDEMPOTENCY, due_at=timezone.now() - timedelta(seconds=1))
    forget_idempotent_requests()
    with tenant_atomic(tenant.id):
        assert IdempotentRequest.objects.count() == 0


# --- Pages -------------------------------------------------------------------------------------------------------------


def test_pages_show_every_row_once_also_when_rows_are_added(tenant: Tenant, key: str) -> None:
    with tenant_atomic(tenant.id):
        now = timezone.now()
        made = [Visitor.objects.create(created_at=now - timedelta(minutes=number // 2)) for number in range(5)]
    url, seen = f"{PATH}?limit=2", []
    while url:
        page = api_call("GET", url, key).json()
        assert len(page["data"]) <= 2
        seen += page["data"]
        url = page["next"]
        with tenant_atomic(tenant.id):
            Visitor.objects.create()
    assert sorted(seen) == sorted(str(row.id) for row in made)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=²", "cursor=x", "cursor=WyJhIl0:x:y"])
def test_odd_pages_are_refused_by_name(key: str, query: str) -> None:
    response = api_call("GET", f"{PATH}?{query}", key)
    assert code_of(response) == (400, "invalid")
    assert response.json()["error"]["parameter"] == query.partition("=")[0]


# --- Description -------------------------------------------------------------------------------------------------------


def test_the_description_and_its_page_are_public_and_bring_nothing_inline(client: Client) -> None:
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    html = page.content.decode()
    assert "<style" not in html
    assert html.count("<script") == html.count("<script src=")
    script = client.get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/v1/openapi.json" in script.content.decode()
    assert client.get("/api/v1/openapi.json").status_code == 200


def test_health_tells_api_clients_what_is_ready(key: str) -> None:
    state = api_call("GET", "/api/v1/health", key).json()
    assert state["components"]["database"] == {"ready": True}
    assert state["ready"] is False
    assert api_call("GET", "/api/v1/health", None).status_code == 401

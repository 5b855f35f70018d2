"""Batches over REST: who may, what is refused, what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client, override_settings

from batches.feeding import feed
from batches.models import Batch, BatchItem
from batches.settling import settle_items
from conversations import replies
from conversations.failures import FailureCode
from conversations.models import Message, Outcome
from helpdesk.api_keys.scopes import Scope
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.api_access import ApiEndpoint, api_call, check_access
from tests.factories import make_api_key, make_tenant
from tests.integration.batches.jobs import QUESTION, items, submit

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/batches"
ONE = {"items": [{"custom_id": "a", "question": QUESTION}]}


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def key(tenant: Tenant) -> str:
    return make_api_key(tenant)


def post_lines(key: str, body: bytes, query: str = "", content_type: str = "application/x-ndjson") -> Any:
    return Client().post(f"{PATH}{query}", body, content_type=content_type, headers={"Authorization": f"Bearer {key}"})


def rows(tenant: Tenant) -> list[Any]:
    with tenant_atomic(tenant.id):
        return [
            list(model.objects.order_by("id").values_list("id", "state"))
            for model in (Batch, BatchItem)  # type: ignore[attr-defined]
        ]


def end(tenant: Tenant, batch: Batch, *positions: int) -> None:
    """Answer these items in this order."""
    feed()
    for position in positions:
        reply_id = items(batch)[position - 1].reply_id
        claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=reply_id, worker="w")
        assert claimed is not None
        with tenant_atomic(tenant.id):
            answer = replies.Answer(body=f"Answer {position}.", language="en", outcome=Outcome.ANSWERED)
            replies.finish_reply(claimed.reply, answer)
            settle_items()


def test_the_matrix_of_callers(tenant: Tenant) -> None:
    batch = submit(tenant, count=2)
    one = f"{PATH}/{batch.id}"
    endpoints = [
        ApiEndpoint("GET", PATH, Scope.BATCHES_READ),
        ApiEndpoint("POST", PATH, Scope.BATCHES_WRITE, status=201, body=ONE),
        ApiEndpoint("GET", one, Scope.BATCHES_READ),
        ApiEndpoint("GET", f"{one}/results", Scope.BATCHES_READ),
        ApiEndpoint("GET", f"{one}/results.jsonl", Scope.BATCHES_READ),
        ApiEndpoint("POST", f"{one}/cancel", Scope.BATCHES_WRITE, body={}),
    ]
    for endpoint in endpoints:
        check_access(endpoint, tenant, rows=lambda: rows(tenant), is_about_one=endpoint.path != PATH)


def test_a_list_shows_the_callers_batches_with_two_queries_for_any_number(
    tenant: Tenant, key: str, django_assert_num_queries: Any
) -> None:
    submit(make_tenant(), count=1)
    api_call("GET", PATH, key)
    counts = []
    for number in (1, 3):
        while len(rows(tenant)[0]) < number:
            submit(tenant, count=2)
        with django_assert_num_queries(11):
            counts.append(len(api_call("GET", PATH, key).json()["data"]))
    assert counts == [1, 3]


def test_json_and_json_lines_are_both_taken(tenant: Tenant, key: str) -> None:
    created = api_call("POST", PATH, key, {**ONE, "name": "May", "defaults": {"seed": 1}})
    assert created.status_code == 201
    body = created.json()
    assert (body["name"], body["state"], body["items"]["waiting"], body["items"]["total"]) == ("May", "queued", 1, 1)
    assert created["Location"] == f"{PATH}/{body['id']}"
    assert api_call("GET", created["Location"], key).json() == body
    lines = post_lines(key, b'{"question": "One?"}\n{"question": "Two?"}\n', "?name=June")
    assert (lines.status_code, lines.json()["name"], lines.json()["items"]["total"]) == (201, "June", 2)
    with tenant_atomic(tenant.id):
        assert {batch.api_key.name for batch in Batch.objects.select_related("api_key")} == {"Tests"}


def test_bad_lines_are_listed_and_nothing_is_stored(tenant: Tenant, key: str) -> None:
    response = post_lines(key, b'{"question": "One?"}\n{"question": "", "x": 1}\n{')
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["error_count"]) == ("batch_invalid", 2)
    assert [(each["line"], each["parameter"]) for each in error["errors"]] == [(2, "x"), (3, "")]
    assert rows(tenant) == [[], []]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "unreadable_body"),
        (b"[]", "application/json", 400, "invalid"),
        (b"", "application/x-ndjson", 400, "invalid"),
        (b"a,b", "text/csv", 415, "unsupported_media_type"),
    ],
)
def test_other_bodies_are_refused(key: str, body: bytes, content_type: str, status: int, code: str) -> None:
    response = post_lines(key, body, content_type=content_type)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


@override_settings(BATCH_MAX_ITEMS=2, BATCH_MAX_WAITING=3)
def test_limits_are_said_with_their_numbers(key: str) -> None:
    too_many = post_lines(key, b'{"question": "a"}\n' * 3)
    assert (too_many.status_code, too_many.json()["error"]["limit"]) == (413, 2)
    post_lines(key, b'{"question": "a"}\n' * 2)
    full = post_lines(key, b'{"question": "a"}\n' * 2)
    assert (full.status_code, full.json()["error"]["code"], full["Retry-After"]) == (429, "batch_backlog", "300")


def test_a_repeated_submission_with_an_idempotency_key_makes_one_batch(tenant: Tenant, key: str) -> None:
    first, second = (api_call("POST", PATH, key, ONE, Idempotency_Key="may-1") for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert second["Idempotent-Replayed"] == "true"
    assert len(rows(tenant)[0]) == 1


def test_results_come_in_the_order_of_their_ends_and_none_is_missed(tenant: Tenant, key: str) -> None:
    batch = submit(tenant, count=5)
    path = f"{PATH}/{batch.id}/results"
    assert api_call("GET", path, key).json() == {"data": [], "next": None, "after": 0, "complete": False}
    end(tenant, batch, 4, 2)
    first = api_call("GET", path, key).json()
    assert [each["custom_id"] for each in first["data"]] == ["q4", "q2"]
    assert (first["data"][0]["answer"], first["complete"]) == ("Answer 4.", False)
    end(tenant, batch, 1, 5, 3)
    seen, url = [], f"{path}?after={first['after']}&limit=2"
    while url:
        page = api_call("GET", url, key).json()
        seen += [each["custom_id"] for each in page["data"]]
        url = page["next"]
    assert (seen, page["complete"]) == (["q1", "q5", "q3"], True)
    ordered = api_call("GET", f"{path}?order=position", key).json()
    assert [each["position"] for each in ordered["data"]] == [1, 2, 3, 4, 5]


def test_result_lines_hold_every_item_over_all_portions(
    tenant: Tenant, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batches.result_lines.AT_ONCE", 2)
    batch = submit(tenant, count=5)
    end(tenant, batch, 5, 4, 3, 2, 1)
    response = api_call("GET", f"{PATH}/{batch.id}/results.jsonl?order=position", key)
    lines = [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]
    assert [line["custom_id"] for line in lines] == ["q1", "q2", "q3", "q4", "q5"]
    assert response["Content-Type"] == "application/x-ndjson; charset=utf-8"


def test_an_answer_whose_words_were_deleted_is_not_given_any_more(tenant: Tenant, key: str) -> None:
    batch = submit(tenant, count=1)
    end(tenant, batch, 1)
    with tenant_atomic(tenant.id):
        Message.objects.update(body="", sources=[])
    (result,) = api_call("GET", f"{PATH}/{batch.id}/results", key).json()["data"]
    assert (result["state"], result["answer"], result["error"]["code"]) == ("done", None, "deleted")


def test_a_failed_item_says_why(tenant: Tenant, key: str) -> None:
    batch = submit(tenant, count=1)
    feed()
    replies.fail_reply(tenant_id=tenant.id, reply_id=items(batch)[0].reply_id, attempt=None, code=FailureCode.DEADLINE)
    feed()
    (result,) = api_call("GET", f"{PATH}/{batch.id}/results", key).json()["data"]
    assert (result["state"], result["answer"], result["error"]["code"]) == ("failed", None, "deadline")
    assert result["error"]["message"]


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=99999999999", "order=custom_id", "limit=0", "limit=501"]
)
def test_questions_that_make_no_sense_are_refused(tenant: Tenant, key: str, query: str) -> None:
    batch = submit(tenant, count=1)
    response = api_call("GET", f"{PATH}/{batch.id}/results?{query}", key)
    assert (response.status_code, response.json()["error"]["parameter"]) == (400, query.split("=", maxsplit=1)[0])


@pytest.mark.parametrize("defaults", [5, "warm", ["seed"]])
def test_defaults_that_are_no_object_are_refused_by_their_name(key: str, defaults: object) -> None:
    response = api_call("POST", PATH, key, {**ONE, "defaults": defaults})
    assert (response.status_code, response.json()["error"]["parameter"]) == (400, "defaults")


def test_cancelling_gives_the_batch_as_it_then_is(tenant: Tenant, key: str) -> None:
    batch = submit(tenant, count=3)
    response = api_call("POST", f"{PATH}/{batch.id}/cancel", key)
    assert (response.status_code, response.json()["state"], response.json()["items"]["cancelled"]) == (
        200,
        "cancelled",
        3,
    )

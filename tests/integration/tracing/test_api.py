"""Traces over REST: who may, what is logged, what stays sealed."""

from __future__ import annotations

import csv
import io
import json
import uuid
from typing import Any

import pytest
from django.test import Client, override_settings

from conversations.models import Feedback
from helpdesk.api.models import IdempotentRequest
from helpdesk.api_keys.domain import ApiClient, revoke_key
from helpdesk.api_keys.models import ApiKey
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import Forbidden
from helpdesk.permissions import Role
from helpdesk.queue.celery import INFERENCE_QUEUE
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.api_access import ApiEndpoint, api_call, check_access
from tests.factories import make_api_key, make_tenant, make_user
from tests.integration.tracing.exporting import analyse, erase
from tests.integration.tracing.rows import make_trace, make_traces
from tests.integration.tracing.vault import tamperer, verified
from tests.unit.tracing.samples import ANSWER, make_content, make_record
from tracing.export.readers import ClientReader
from tracing.export.rows import exported_traces
from tracing.jobs import claim_job, request_automatic
from tracing.models import AnalysisJob, Trace, TraceAccess
from tracing.queries import TraceFilter

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/traces"
REASON = "complaint 4711"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def key(tenant: Tenant) -> str:
    return make_api_key(tenant)


def rows(tenant: Tenant) -> list[Any]:
    with tenant_atomic(tenant.id):
        return [model.objects.count() for model in (TraceAccess, AnalysisJob, Feedback)]


def accesses(tenant: Tenant) -> list[TraceAccess]:
    with tenant_atomic(tenant.id):
        return list(TraceAccess.objects.select_related("api_key").order_by("sequence"))


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_the_matrix_of_callers(tenant: Tenant) -> None:
    one = f"{PATH}/{make_trace(tenant).id}"
    about_one = [
        ApiEndpoint("GET", one, Scope.TRACES_READ),
        ApiEndpoint("POST", f"{one}/content", Scope.TRACES_CONTENT, body={"reason": REASON}),
        ApiEndpoint("GET", f"{one}/analyses", Scope.TRACES_READ),
        ApiEndpoint("POST", f"{one}/analyses", Scope.TRACES_WRITE, status=202, body={"kind": "replay"}),
        ApiEndpoint("POST", f"{one}/feedback", Scope.TRACES_WRITE, body={"rating": "up"}),
    ]
    about_all = [
        ApiEndpoint("GET", PATH, Scope.TRACES_READ),
        ApiEndpoint("POST", f"{PATH}/verify", Scope.TRACES_READ),
        ApiEndpoint("GET", f"{PATH}/export.csv", Scope.TRACES_READ),
        ApiEndpoint("POST", f"{PATH}/export.jsonl", Scope.TRACES_CONTENT, body={"reason": REASON}),
    ]
    for endpoint in about_one + about_all:
        check_access(endpoint, tenant, rows=lambda: rows(tenant), is_about_one=endpoint in about_one)


def test_the_list_holds_figures_of_the_callers_tenant_and_no_word_of_content(
    tenant: Tenant, key: str, django_assert_num_queries: Any
) -> None:
    make_trace(make_tenant())
    api_call("GET", PATH, key)
    for count in (1, 3):
        with tenant_atomic(tenant.id):
            missing = count - Trace.objects.count()
        make_traces(tenant, missing)
        with django_assert_num_queries(13):
            response = api_call("GET", PATH, key)
        data = response.json()["data"]
        assert [trace["sequence"] for trace in data] == sorted((trace["sequence"] for trace in data), reverse=True)
        assert len(data) == count
    content = make_content()
    assert content.question.encode() not in response.content
    assert ANSWER.encode() not in response.content
    assert rows(tenant)[0] == 0


def test_pages_follow_each_other_and_filters_hold_on_all_of_them(tenant: Tenant, key: str) -> None:
    wanted = [str(make_trace(tenant).id) for _ in range(3)]
    make_trace(tenant, make_record(outcome="refused"))
    seen, url = [], f"{PATH}?outcome=answered&limit=2"
    while url:
        page = api_call("GET", url, key).json()
        seen += [trace["id"] for trace in page["data"]]
        url = page["next"]
    assert seen == wanted[::-1]
    assert api_call("GET", f"{PATH}?outcome=refused", key).json()["data"][0]["outcome"] == "refused"


@pytest.mark.parametrize("query", ["outcome=maybe", "since=yesterday", "language=fr", "model=unseen", "band=sure"])
def test_a_filter_that_makes_no_sense_is_refused(tenant: Tenant, key: str, query: str) -> None:
    response = api_call("GET", f"{PATH}?{query}", key)
    assert (response.status_code, response.json()["error"]["parameter"]) == (400, query.split("=", maxsplit=1)[0])


def test_one_trace_comes_with_its_place_in_conversation_and_chain(tenant: Tenant, key: str) -> None:
    trace = make_trace(tenant)
    found = api_call("GET", f"{PATH}/{trace.id}", key).json()
    assert (found["id"], found["turn"], found["times_opened"]) == (str(trace.id), {"number": 1, "total": 1}, 0)
    assert found["integrity"]["chain"] == bytes(trace.chain).hex()


def test_content_is_opened_for_a_reason_and_the_key_stands_in_the_chain(tenant: Tenant, key: str) -> None:
    trace = make_trace(tenant)
    analyse(trace)
    found = api_call("POST", f"{PATH}/{trace.id}/content", key, {"reason": f"  {REASON} "}).json()
    assert (found["schema"], found["content"]["answer"]) == ("glassdesk.trace/1", ANSWER)
    assert {analysis["kind"] for analysis in found["analyses"]} == {"attribution", "replay", "alternatives"}
    (access,) = accesses(tenant)
    assert (access.user_id, access.api_key.name, access.reason, access.opened) == (None, "Tests", REASON, True)
    assert verified(tenant).is_sound


def test_a_read_whose_key_was_changed_or_taken_away_is_found(tenant: Tenant, key: str, owner_url: str) -> None:
    trace = make_trace(tenant)
    api_call("POST", f"{PATH}/{trace.id}/content", key, {"reason": REASON})
    tamper = tamperer(owner_url, tenant)
    for value in ("NULL", f"'{uuid.uuid4()}'"):
        tamper(
            "ALTER TABLE tracing_traceaccess DISABLE TRIGGER append_only",
            f"UPDATE tracing_traceaccess SET api_key_id = {value}",
            "ALTER TABLE tracing_traceaccess ENABLE TRIGGER append_only",
        )
        assert [(each.kind, each.table) for each in verified(tenant).findings] == [("altered", "traceaccess")]


@pytest.mark.parametrize("sent", [{}, {"reason": ""}, {"reason": "abc"}, {"reason": 5}, {"reason": None}, ["reason"]])
def test_without_a_reason_nothing_is_opened_and_nothing_logged(tenant: Tenant, key: str, sent: object) -> None:
    trace = make_trace(tenant)
    for path in (f"{PATH}/{trace.id}/content", f"{PATH}/export.jsonl"):
        response = api_call("POST", path, key, sent)
        assert response.status_code == 400
    assert accesses(tenant) == []


def test_erased_content_is_gone_and_the_attempt_logged(tenant: Tenant, key: str) -> None:
    trace = make_trace(tenant)
    erase(trace)
    response = api_call("POST", f"{PATH}/{trace.id}/content", key, {"reason": REASON})
    assert (response.status_code, response.json()["error"]["code"]) == (410, "trace_erased")
    assert [access.opened for access in accesses(tenant)] == [False]
    refused = api_call("POST", f"{PATH}/{trace.id}/analyses", key, {})
    assert (refused.status_code, rows(tenant)[1]) == (410, 0)


def test_opened_content_is_not_kept_for_an_idempotency_key(tenant: Tenant, key: str) -> None:
    path = f"{PATH}/{make_trace(tenant).id}/content"
    first, second = (api_call("POST", path, key, {"reason": REASON}, Idempotency_Key="x") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 409)
    with tenant_atomic(tenant.id):
        assert [row.body for row in IdempotentRequest.objects.all()] == [""]


def test_a_replay_is_asked_for_with_the_callers_key_and_goes_before_what_nobody_asked_for(
    tenant: Tenant, key: str
) -> None:
    trace = make_trace(tenant)
    path, chunk = f"{PATH}/{trace.id}/analyses", str(uuid.uuid4())
    asked = api_call("POST", path, key, {"kind": "replay", "without": [chunk], "is_free": True})
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    assert asked.json()["parameters"] == {"without": [chunk], "is_free": True}
    assert api_call("POST", path, key, {"without": [chunk], "is_free": True}).json()["id"] == asked.json()["id"]
    with tenant_atomic(tenant.id):
        request_automatic(trace, queue=INFERENCE_QUEUE)
        states = {job.kind: job.is_automatic for job in AnalysisJob.objects.all()}
    assert states == {"replay": False, "attribution": True}
    assert claim_job(tenant_id=tenant.id, job_id=uuid.UUID(asked.json()["id"])) is not None
    listed = api_call("GET", path, key).json()["data"]
    assert {job["kind"]: job["state"] for job in listed} == {"replay": "running", "attribution": "queued"}


@pytest.mark.parametrize(
    ("sent", "parameter"),
    [
        ({"kind": "guess"}, "kind"),
        ({"kind": ["replay"]}, "kind"),
        ({"without": "all"}, "without"),
        ({"without": ["x"]}, "without"),
        ({"without": [5]}, "without"),
        ({"without": [str(uuid.uuid4())] * 21}, "without"),
        ({"is_free": "yes"}, "is_free"),
        ({"model": "another"}, "model"),
        ({"kind": "attribution", "without": [str(uuid.uuid4())]}, "without"),
        ({"kind": "attribution", "is_free": True}, "is_free"),
    ],
)
def test_an_analysis_that_cannot_be_is_refused(tenant: Tenant, key: str, sent: object, parameter: str) -> None:
    response = api_call("POST", f"{PATH}/{make_trace(tenant).id}/analyses", key, sent)
    assert (response.status_code, response.json()["error"]["parameter"]) == (400, parameter)
    assert rows(tenant)[1] == 0


def test_feedback_is_given_and_replaced_and_its_words_stay_out_of_the_list(tenant: Tenant, key: str) -> None:
    path = f"{PATH}/{make_trace(tenant).id}"
    api_call("POST", f"{path}/feedback", key, {"rating": "up"})
    given = api_call("POST", f"{path}/feedback", key, {"rating": "down", "reason": "wrong", "comment": "Okapi."})
    assert given.json() == {"given_by": "api", "rating": "down", "reason": "wrong"}
    response = api_call("GET", f"{PATH}?feedback=down", key)
    assert response.json()["data"][0]["feedback"] == [given.json()]
    assert b"Okapi" not in response.content
    assert api_call("POST", f"{path}/feedback", key, {"rating": "sideways"}).status_code == 400


def test_verifying_names_the_altered_row(tenant: Tenant, key: str, owner_url: str) -> None:
    first, _ = make_traces(tenant, 2)
    sound = api_call("POST", f"{PATH}/verify", key).json()
    assert (sound["is_sound"], sound["traces"], sound["findings"]) == (True, 2, [])
    tamperer(owner_url, tenant)("UPDATE tracing_trace SET outcome = 'refused' WHERE id = %(id)s", id=first.id)
    found = api_call("POST", f"{PATH}/verify", key).json()
    (finding,) = found["findings"]
    assert (found["is_sound"], finding["kind"], finding["row_id"]) == (False, "altered", str(first.id))


@override_settings(API_VERIFY_SECONDS=-1)
def test_a_chain_too_long_to_be_checked_meanwhile_says_what_to_do(tenant: Tenant, key: str) -> None:
    make_traces(tenant, 1)
    response = api_call("POST", f"{PATH}/verify", key)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "verification_too_long")


def test_the_export_of_contents_logs_each_trace_with_the_key(tenant: Tenant, key: str) -> None:
    make_trace(make_tenant())
    traces = make_traces(tenant, 3)
    make_trace(tenant, make_record(outcome="refused"))
    response = api_call("POST", f"{PATH}/export.jsonl", key, {"reason": REASON, "outcome": "answered"})
    lines = [json.loads(line) for line in body(response).splitlines()]
    assert [line["trace"]["id"] for line in lines] == [str(trace.id) for trace in traces[::-1]]
    assert {line["content"]["answer"] for line in lines} == {ANSWER}
    assert {(access.api_key.name, access.reason) for access in accesses(tenant)} == {("Tests", REASON)}
    assert len(accesses(tenant)) == 3


def test_the_export_of_figures_is_a_table_without_content(tenant: Tenant, key: str) -> None:
    make_traces(tenant, 2)
    response = api_call("GET", f"{PATH}/export.csv?outcome=answered", key)
    table = list(csv.DictReader(io.StringIO(body(response).decode("utf-8-sig"))))
    assert ([row["outcome"] for row in table], response["Content-Type"]) == (
        ["answered"] * 2,
        "text/csv; charset=utf-8",
    )
    assert accesses(tenant) == []


def test_a_key_revoked_in_the_middle_of_an_export_reads_no_further(tenant: Tenant) -> None:
    make_traces(tenant, 7)
    make_api_key(tenant)
    with tenant_atomic(tenant.id):
        row = ApiKey.objects.get()
    reader = ClientReader(ApiClient(tenant.id, row.id, frozenset(row.scopes)), REASON)
    found = exported_traces(tenant.id, TraceFilter(), reader=reader)
    for _ in range(5):
        next(found)
    revoke_key(tenant_id=tenant.id, key_id=row.id)
    with pytest.raises(Forbidden):
        next(found)
    assert len(accesses(tenant)) == 5


def test_the_report_shows_which_key_has_read(tenant: Tenant, key: str, client: Client) -> None:
    trace = make_trace(tenant)
    api_call("POST", f"{PATH}/{trace.id}/content", key, {"reason": REASON})
    client.force_login(make_user(tenant, Role.REVIEWER))
    page = client.get(f"/desk/{tenant.slug}/traces/{trace.reply_id}/")
    assert "API key “Tests”" in page.content.decode()

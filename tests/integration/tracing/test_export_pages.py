"""Exports from the desk: who gets a file, what is logged, and that refusals leave nothing behind."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest
from django.db import connection
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from conversations.models import Outcome
from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership
from tests.factories import make_tenant, make_user
from tests.integration.tracing.exporting import REASON, erase, log_of
from tests.integration.tracing.rows import make_trace, make_traces
from tests.unit.tracing.samples import ANSWER, SENTINEL, make_content, make_record, make_refusal
from tracing import export_views
from tracing.content import Checking, SentenceCheck, TraceContent
from tracing.export import rows
from tracing.models import TraceAccess
from tracing.plain import from_plain

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
WITHOUT_RIGHT = [Role.AGENT, Role.VIEWER, Role.EDITOR]
WITH_RIGHT = [Role.OWNER, Role.ADMIN, Role.REVIEWER]


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def sign_in(client):
    def as_role(tenant, role):
        client.force_login(make_user(tenant, role), backend=BACKEND)
        return client

    return as_role


def csv_url(tenant, query=""):
    return reverse("tracing:export_csv", args=[tenant.slug]) + query


def jsonl_url(tenant, query=""):
    return reverse("tracing:export_jsonl", args=[tenant.slug]) + query


def one_url(tenant, trace):
    return reverse("tracing:export_one", args=[tenant.slug, trace.reply_id])


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def lines(response):
    return [json.loads(line) for line in body(response).splitlines()]


def everything(client, tenant, trace, reason=REASON):
    """Every export that there is."""
    return [
        client.get(csv_url(tenant)),
        client.post(jsonl_url(tenant), {"reason": reason}),
        client.post(one_url(tenant, trace), {"reason": reason, "format": "json"}),
        client.post(one_url(tenant, trace), {"reason": reason, "format": "html"}),
    ]


def test_an_anonymous_person_is_sent_to_the_sign_in(client, tenant):
    trace = make_trace(tenant)
    for response in everything(client, tenant, trace):
        assert response.url.startswith("/accounts/login/")
    assert log_of(tenant) == []


def test_another_tenants_owner_finds_nothing(sign_in, tenant):
    trace, other = make_trace(tenant), make_tenant()
    client = sign_in(other, Role.OWNER)
    responses = [
        *everything(client, tenant, trace),
        client.post(one_url(other, trace), {"reason": REASON, "format": "json"}),
    ]
    assert [response.status_code for response in responses] == [404] * 5
    assert body(client.get(csv_url(other))).count(b"\n") == 1
    assert body(client.post(jsonl_url(other), {"reason": REASON})) == b""
    assert log_of(tenant) == log_of(other) == []


@pytest.mark.parametrize("role", WITHOUT_RIGHT)
def test_roles_without_the_right_get_metrics_only(sign_in, tenant, role):
    trace = make_trace(tenant)
    client = sign_in(tenant, role)
    responses = everything(client, tenant, trace)
    assert [response.status_code for response in responses] == [200, 403, 403, 403]
    assert [secret for secret in (SENTINEL, ANSWER) for each in responses if secret in body(each).decode()] == []
    page = client.get(reverse("tracing:list", args=[tenant.slug])).content.decode()
    assert csv_url(tenant) in page
    assert jsonl_url(tenant) not in page
    assert log_of(tenant) == []


@pytest.mark.parametrize("role", WITH_RIGHT)
def test_roles_with_the_right_take_content_out_and_each_record_is_logged(sign_in, tenant, role):
    first, second = make_traces(tenant, 2)
    client = sign_in(tenant, role)
    found = lines(client.post(jsonl_url(tenant), {"reason": REASON}))
    assert [each["trace"]["id"] for each in found] == [str(second.id), str(first.id)]
    assert from_plain(TraceContent, found[0]["content"]) == make_content()
    assert log_of(tenant) == [(second.id, REASON, True), (first.id, REASON, True)]
    with tenant_atomic(tenant.id):
        people = set(TraceAccess.objects.values_list("user__email", flat=True))
        assert people == {Membership.objects.select_related("user").get().user.email}


@pytest.mark.parametrize("reason", ["", "abc", "\u3164" * 9])
def test_without_a_reason_nothing_leaves(sign_in, tenant, reason):
    trace = make_trace(tenant)
    responses = everything(sign_in(tenant, Role.OWNER), tenant, trace, reason)
    assert [response.status_code for response in responses] == [200, 400, 400, 400]
    assert SENTINEL not in "".join(body(response).decode() for response in responses)
    assert log_of(tenant) == []


def test_looking_at_an_address_exports_nothing(sign_in, tenant):
    trace = make_trace(tenant)
    client = sign_in(tenant, Role.OWNER)
    assert client.get(jsonl_url(tenant)).url == reverse("tracing:list", args=[tenant.slug])
    assert client.get(one_url(tenant, trace)).url == reverse("tracing:report", args=[tenant.slug, trace.reply_id])
    assert client.post(one_url(tenant, trace), {"reason": REASON, "format": "exe"}).status_code == 400
    assert log_of(tenant) == []


def test_a_form_of_another_site_exports_nothing(tenant):
    from django.test import Client

    trace, client = make_trace(tenant), Client(enforce_csrf_checks=True)
    client.force_login(make_user(tenant, Role.OWNER), backend=BACKEND)
    assert client.post(jsonl_url(tenant), {"reason": REASON}).status_code == 403
    assert client.post(one_url(tenant, trace), {"reason": REASON, "format": "json"}).status_code == 403
    assert log_of(tenant) == []


def test_files_are_named_downloaded_and_never_stored(sign_in, tenant):
    trace = make_trace(tenant)
    csv, jsonl, document, page = everything(sign_in(tenant, Role.REVIEWER), tenant, trace)
    today = timezone.now().date().isoformat()
    by_name = {
        f"glassdesk-{tenant.slug}-traces-{today}.csv": (csv, "text/csv"),
        f"glassdesk-{tenant.slug}-traces-{today}.jsonl": (jsonl, "application/x-ndjson"),
        f"glassdesk-{tenant.slug}-trace-1.json": (document, "application/json"),
        f"glassdesk-{tenant.slug}-trace-1.html": (page, "text/html"),
    }
    for name, (response, kind) in by_name.items():
        assert response["Content-Disposition"] == f'attachment; filename="{name}"'
        assert response["Content-Type"].startswith(kind)
        assert "no-store" in response["Cache-Control"]
        assert response["X-Content-Type-Options"] == "nosniff"
    assert json.loads(document.content)["content"]["answer"] == ANSWER
    assert SENTINEL in page.content.decode()


def test_the_reports_export_row_repeats_the_reason(sign_in, tenant):
    trace = make_trace(tenant)
    client = sign_in(tenant, Role.REVIEWER)
    locked = client.get(reverse("tracing:report", args=[tenant.slug, trace.reply_id])).content.decode()
    opened = client.post(reverse("tracing:open", args=[tenant.slug, trace.reply_id]), {"reason": REASON})
    assert one_url(tenant, trace) not in locked
    assert one_url(tenant, trace) in opened.content.decode()
    client.post(one_url(tenant, trace), {"reason": REASON, "format": "html"})
    assert log_of(tenant) == [(trace.id, REASON, True)] * 2


def test_exports_honour_the_lists_filters(sign_in, tenant):
    answered = make_trace(tenant)
    refused = make_trace(tenant, make_record(make_refusal(), outcome=Outcome.REFUSED))
    client = sign_in(tenant, Role.REVIEWER)
    by_query = {
        "?outcome=refused": {refused},
        "?band=high": {answered},
        "?language=zh": set(),
        "?since=2999-01-01": set(),
        f"?until={timezone.now().date().isoformat()}": {answered, refused},
        "?model=glassdesk/packaged-chat": {answered},
        "?band=nonsense": {answered, refused},
    }
    for query, expected in by_query.items():
        table = body(client.get(csv_url(tenant, query))).decode()
        assert {each for each in (answered, refused) if str(each.reply_id) in table} == expected, query
        found = lines(client.post(jsonl_url(tenant, query), {"reason": REASON}))
        assert {each["trace"]["id"] for each in found} == {str(each.id) for each in expected}, query
    page = client.get(reverse("tracing:list", args=[tenant.slug]) + "?outcome=refused").content.decode()
    assert csv_url(tenant, "?outcome=refused") in page
    assert jsonl_url(tenant, "?outcome=refused") in page


def test_the_desk_stops_at_its_limit_and_says_so(sign_in, tenant, monkeypatch):
    monkeypatch.setattr(export_views, "MAX_ROWS", 2)
    make_traces(tenant, 3)
    client = sign_in(tenant, Role.REVIEWER)
    *found, note = lines(client.post(jsonl_url(tenant), {"reason": REASON}))
    assert len(found) == 2
    assert note["schema"] == "glassdesk.note/1"
    assert f"manage.py export_traces {tenant.slug}" in note["note"]
    assert len(log_of(tenant)) == 2
    rows = body(client.get(csv_url(tenant))).decode().splitlines()
    assert len(rows) == 4
    assert "export_traces" in rows[-1]


def test_an_erased_record_does_not_stop_the_file(sign_in, tenant):
    traces = make_traces(tenant, 3)
    erase(traces[1])
    client = sign_in(tenant, Role.REVIEWER)
    found = lines(client.post(jsonl_url(tenant), {"reason": REASON}))
    assert [each["error"] and each["error"]["code"] for each in found] == [None, "trace_erased", None]
    alone = client.post(one_url(tenant, traces[1]), {"reason": REASON, "format": "json"})
    assert alone.status_code == 410
    assert [entry[2] for entry in log_of(tenant)] == [True, False, True, False]


@committed
def test_the_stream_runs_after_the_view_in_the_right_scope(sign_in, tenant, monkeypatch):
    monkeypatch.setattr(rows, "OPENED_AT_ONCE", 1)
    make_traces(tenant, 2)
    make_trace(make_tenant())
    response = sign_in(tenant, Role.REVIEWER).post(jsonl_url(tenant), {"reason": REASON})
    assert not connection.in_atomic_block
    assert log_of(tenant) == []
    stream = iter(response.streaming_content)
    next(stream)
    assert not connection.in_atomic_block
    assert len(log_of(tenant)) == 1
    next(stream)
    assert list(stream) == []


@committed
def test_losing_the_right_meanwhile_ends_the_file_with_a_note(sign_in, tenant, monkeypatch):
    monkeypatch.setattr(rows, "OPENED_AT_ONCE", 1)
    make_traces(tenant, 3)
    response = sign_in(tenant, Role.REVIEWER).post(jsonl_url(tenant), {"reason": REASON})
    stream = iter(response.streaming_content)
    next(stream)
    with tenant_atomic(tenant.id):
        Membership.objects.update(role=Role.AGENT)
    rest = [json.loads(line) for line in stream]
    assert [each["schema"] for each in rest] == ["glassdesk.note/1"]
    assert rest[0]["note"].startswith("forbidden")
    assert len(log_of(tenant)) == 1


@committed
def test_under_asgi_the_file_comes_in_pieces(tenant, monkeypatch):
    monkeypatch.setattr(rows, "OPENED_AT_ONCE", 1)
    make_traces(tenant, 3)
    user, client = make_user(tenant, Role.REVIEWER), AsyncClient()

    async def download():
        await client.aforce_login(user, backend=BACKEND)
        response = await client.post(jsonl_url(tenant), {"reason": REASON})
        assert response.is_async
        return [json.loads(piece) async for piece in response.streaming_content]

    found = asyncio.run(download())
    assert [each["content"]["answer"] for each in found] == [ANSWER] * 3
    assert len(log_of(tenant)) == 3


def test_a_reply_without_a_record_is_not_found(sign_in, tenant):
    url = reverse("tracing:export_one", args=[tenant.slug, uuid.uuid4()])
    assert sign_in(tenant, Role.OWNER).post(url, {"reason": REASON, "format": "json"}).status_code == 404


@pytest.mark.parametrize(("kind", "mark"), [("html", "<del>Free for all.</del>"), ("json", '"reason": "unsupported"')])
def test_sentences_that_were_cut_are_exported_with_the_reason(sign_in, tenant, kind, mark):
    text = f"{ANSWER} Free for all."
    sentences = (
        SentenceCheck(start=0, end=len(ANSWER), support=1.0),
        SentenceCheck(start=len(ANSWER) + 1, end=len(text), reason="unsupported", support=0.0),
    )
    content = make_content(checking=Checking(text=text, sentences=sentences), style="generate")
    trace = make_trace(tenant, make_record(content))
    client = sign_in(tenant, Role.REVIEWER)
    exported = client.post(one_url(tenant, trace), {"reason": REASON, "format": kind}).content.decode()
    assert mark in exported
    if kind == "html":
        assert "not in any passage" in exported
        assert "段落中没有依据" in exported

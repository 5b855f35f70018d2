"""Cached answers: in the list, its figures, the report and every export."""

from __future__ import annotations

import csv
import io
import json
import uuid
from dataclasses import replace

import pytest
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.tracing.exporting import exported
from tests.integration.tracing.rows import make_trace
from tests.unit.tracing.samples import ANSWER, make_content, make_record
from tracing.cached_answers import cached_answers
from tracing.content import CachedAnswer
from tracing.export import csv as csv_export
from tracing.export.html import trace_page as html_page
from tracing.export.jsonl import plain_trace
from tracing.export.otlp import spans_of
from tracing.models import Trace
from tracing.queries import TraceFilter, original_reply_of, trace_page

pytestmark = pytest.mark.django_db
REASON = "complaint 4711"


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def sign_in(client):
    def as_role(tenant, role):
        user = make_user(tenant, role)
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return as_role


def make_repeated(tenant, original, kind="exact", similarity=1.0) -> Trace:
    cached = CachedAnswer(trace=str(original.id), reply=str(original.reply_id), kind=kind, similarity=similarity)
    content = make_content(
        cached=cached, tokens=(), prompt=None, sampling=None, engine=None, candidates=(), history=(), dropped=()
    )
    return make_trace(tenant, make_record(content, finish_reason="", saved_tokens=13, cached_prompt_tokens=0))


def url(name, tenant, trace):
    return reverse(f"tracing:{name}", args=[tenant.slug, trace.reply_id])


def test_the_list_shows_and_filters_cached_answers(sign_in, tenant):
    original = make_trace(tenant)
    exact, semantic = make_repeated(tenant, original), make_repeated(tenant, original, "semantic", 0.97)
    page = sign_in(tenant, Role.AGENT).get(reverse("tracing:list", args=[tenant.slug])).content.decode()
    assert (page.count("Same question"), page.count("Similar question")) == (3, 3)
    with tenant_atomic(tenant.id):
        found = {kind: [row.id for row in trace_page(TraceFilter(cache=kind)).rows] for kind in ("exact", "semantic")}
    assert found == {"exact": [exact.id], "semantic": [semantic.id]}
    response = sign_in(tenant, Role.AGENT).get(reverse("tracing:list", args=[tenant.slug]), {"cache": "exact"})
    assert [row["trace"].id for row in response.context["rows"]] == [exact.id]


def test_the_figures_count_both_kinds_and_the_tokens_of_this_tenant_alone(tenant):
    original, other = make_trace(tenant), make_tenant()
    for kind in ("exact", "exact", "semantic"):
        make_repeated(tenant, original, kind)
    make_repeated(other, make_trace(other))
    with tenant_atomic(tenant.id):
        figures = cached_answers(TraceFilter(), period=7)
        refused = cached_answers(TraceFilter(outcome="refused"), period=7)
    assert (figures.exact, figures.semantic, figures.total, figures.saved_tokens) == (2, 1, 3, 39)
    assert (refused.total, refused.saved_tokens) == (0, 0)


def test_the_list_of_cached_answers_reads_an_index(tenant):
    from django.db import connection

    make_repeated(tenant, make_trace(tenant))
    with tenant_atomic(tenant.id), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        rows = Trace.objects.filter(cache="exact").order_by("-sequence")[:51]
        plan = rows.explain()
    assert "traces_by_cache" in plan


def test_the_locked_report_leads_to_the_original(sign_in, tenant):
    original = make_trace(tenant)
    repeated = make_repeated(tenant, original)
    for role in (Role.AGENT, Role.REVIEWER):
        for name in ("report", "drawer"):
            page = sign_in(tenant, role).get(url(name, tenant, repeated)).content.decode()
            assert url("report", tenant, original) in page
            assert "13 tokens saved" in page
            assert ANSWER not in page
    page = sign_in(tenant, Role.AGENT).get(url("report", tenant, original)).content.decode()
    assert "its answer was reused" not in page


def test_the_opened_report_says_what_is_the_original_s(sign_in, tenant):
    repeated = make_repeated(tenant, make_trace(tenant))
    page = sign_in(tenant, Role.REVIEWER).post(url("open", tenant, repeated), {"reason": REASON}).content.decode()
    assert ANSWER in page
    assert "This is the original answer, word for word" in page
    assert "nothing was measured again" in page
    assert "pass the gate" not in page


def test_an_original_that_is_gone_or_another_tenant_s_is_not_linked(sign_in, tenant):
    other = make_tenant()
    foreign = make_trace(other)
    with tenant_atomic(tenant.id):
        gone = Trace(id=uuid.uuid4(), reply_id=uuid.uuid4())
    for original in (foreign, gone):
        repeated = make_repeated(tenant, original)
        with tenant_atomic(tenant.id):
            assert original_reply_of(repeated) is None
        page = sign_in(tenant, Role.REVIEWER).get(url("report", tenant, repeated)).content.decode()
        assert "record has since been deleted" in page
        assert str(original.reply_id) not in page


def test_every_export_names_the_original(tenant):
    original = make_trace(tenant)
    make_repeated(tenant, original, "semantic", 0.97)
    newest = exported(tenant)[0]
    plain = plain_trace(newest, tenant=tenant.slug)
    assert plain["trace"]["channel"] == "widget"
    assert (plain["trace"]["cache"], plain["trace"]["cached_from"]) == ("semantic", str(original.id))
    assert plain["trace"]["saved_tokens"] == 13
    assert plain["content"]["cached"] == {
        "trace": str(original.id), "reply": str(original.reply_id), "kind": "semantic", "similarity": 0.97
    }  # fmt: skip
    assert json.dumps(plain)
    table = csv_export.header_row() + csv_export.trace_row(newest.trace)
    (row,) = csv.DictReader(io.StringIO(table.decode("utf-8-sig")))
    assert (row["cache"], row["cached_from"], row["saved_tokens"]) == ("semantic", str(original.id), "13")
    with tenant_atomic(tenant.id):
        page = html_page(newest, tenant=tenant.slug).decode()
    assert str(original.id) in page
    root = spans_of(newest, tenant=tenant.slug)[0].attributes
    assert root is not None
    assert root["glassdesk.cache.original_trace.id"] == str(original.id)
    assert (root["glassdesk.cache.kind"], root["glassdesk.cache.saved_tokens"]) == ("semantic", 13)
    assert "glassdesk.cache.kind" not in (spans_of(exported(tenant)[1], tenant=tenant.slug)[0].attributes or {})


def test_a_content_without_an_original_stays_as_it_was():
    content = make_content()
    assert content.to_plain()["cached"] is None
    assert replace(content, cached=None) == content

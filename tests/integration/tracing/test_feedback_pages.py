"""Ratings in the desk: on the message, in the list and its filter, on the report, and in what is exported."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.urls import reverse

from conversations.feedback import give_feedback
from conversations.models import Giver, Reply
from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.tracing.exporting import exported
from tests.integration.tracing.rows import make_trace, make_traces
from tracing.export import csv as csv_format
from tracing.export.html import trace_page
from tracing.export.jsonl import trace_line
from tracing.export.readers import ShellReader
from tracing.export.rows import exported_traces
from tracing.queries import TraceFilter
from tracing.queries import trace_page as page_of_traces

pytestmark = pytest.mark.django_db
COMMENT = "my order 4711 <script>alert(1)</script>"


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def sign_in(client):
    def as_role(tenant, role):
        client.force_login(make_user(tenant, role), backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return as_role


def rate(tenant, trace, rating="down", by=Giver.API, **given):
    with tenant_atomic(tenant.id):
        message = Reply.objects.get(id=trace.reply_id).answer_id
    return give_feedback(tenant_id=tenant.id, message_id=message, given_by=by, rating=rating, **given)


def test_the_filter_finds_what_anybody_rated_so_and_what_nobody_rated(tenant):
    up, down, both, none = make_traces(tenant, 4)
    rate(tenant, up, "up")
    rate(tenant, down)
    rate(tenant, both, "up")
    rate(tenant, both, "down", Giver.AGENT)
    other = make_tenant()
    rate(other, make_trace(other))
    with tenant_atomic(tenant.id):
        found = {
            name: [trace.id for trace in page_of_traces(TraceFilter(feedback=name)).rows]
            for name in ("up", "down", "none")
        }
    assert found == {"up": [both.id, up.id], "down": [both.id, down.id], "none": [none.id]}


def test_list_report_drawer_and_transcript_show_the_rating(sign_in, tenant):
    trace = make_trace(tenant)
    make_trace(tenant)
    rate(tenant, trace, reason="outdated", comment=COMMENT)
    client = sign_in(tenant, Role.AGENT)
    listed = client.get(reverse("tracing:list", args=[tenant.slug]), {"feedback": "down"}).content.decode()
    assert listed.count('class="trace-link"') == 1
    assert "API: Not helpful" in listed
    for url in (
        reverse("tracing:report", args=[tenant.slug, trace.reply_id]),
        reverse("tracing:drawer", args=[tenant.slug, trace.reply_id]),
        reverse("desk:conversation", args=[tenant.slug, trace.conversation_id]),
    ):
        page = client.get(url).content.decode()
        assert ("It is out of date" in page, "my order 4711 &lt;script&gt;" in page) == (True, True), url


def test_the_comment_leaves_the_desk_only_with_the_content(tenant):
    rate(tenant, make_trace(tenant), reason="wrong", comment=COMMENT)
    opened = exported(tenant)[0]
    plain = next(exported_traces(tenant.id, TraceFilter(feedback="down"), reader=ShellReader()))
    lines = [json.loads(trace_line(each, tenant=tenant.slug))["feedback"][0] for each in (opened, plain)]
    assert [(line["given_by"], line["rating"], line["reason"]) for line in lines] == [("api", "down", "wrong")] * 2
    assert [line["comment"] for line in lines] == [COMMENT, None]
    table = csv_format.header_row() + csv_format.trace_row(plain.trace)
    (row,) = csv.DictReader(io.StringIO(table.decode("utf-8-sig")))
    assert row["feedback"] == "api=down"
    assert COMMENT not in table.decode()
    with tenant_atomic(tenant.id):
        page = trace_page(opened, tenant=tenant.slug).decode()
    assert page.count("my order 4711 &lt;script&gt;") == 2

"""The desk's pages about traces: who sees what, what is logged, and how many queries it takes."""

from __future__ import annotations

import re
import uuid

import psycopg
import pytest
from django.urls import reverse

from conversations.models import Outcome
from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.tracing.rows import make_trace, make_traces
from tests.unit.tracing.samples import ANSWER, SENTINEL, make_content, make_record, make_refusal
from tracing.models import TraceAccess
from tracing.queries import TraceFilter, trace_page

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)
REASON = "complaint 4711"
# Session, person, then savepoints, scope settings and membership of `desk_view`, then the page's own.
LIST_QUERIES = 17
REPORT_QUERIES = 16
CONTENT = (SENTINEL, ANSWER, "How long does delivery take?", "Delivery &gt; Times", "delivery-1", "Islands", "Tok_9001")


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


def report_url(trace, tenant):
    return reverse("tracing:report", args=[tenant.slug, trace.reply_id])


def open_url(trace, tenant):
    return reverse("tracing:open", args=[tenant.slug, trace.reply_id])


def list_url(tenant):
    return reverse("tracing:list", args=[tenant.slug])


def log_of(tenant):
    with tenant_atomic(tenant.id):
        return list(TraceAccess.objects.values_list("reason", "opened"))


def assert_no_content(response):
    page = response.content.decode()
    assert [secret for secret in CONTENT if secret in page] == []


def test_every_page_sends_an_anonymous_person_to_the_sign_in(client, tenant):
    trace = make_trace(tenant)
    for url in (list_url(tenant), report_url(trace, tenant)):
        assert client.get(url).url.startswith("/accounts/login/")
    response = client.post(open_url(trace, tenant), {"reason": REASON})
    assert response.url.startswith("/accounts/login/")
    assert log_of(tenant) == []


def test_every_page_is_not_found_for_another_tenants_owner(sign_in, tenant):
    trace, other = make_trace(tenant), make_tenant()
    client = sign_in(other, Role.OWNER)
    responses = [
        client.get(list_url(tenant)),
        client.get(report_url(trace, tenant)),
        client.post(open_url(trace, tenant), {"reason": REASON}),
        client.get(report_url(trace, other)),
        client.post(open_url(trace, other), {"reason": REASON}),
    ]
    assert [response.status_code for response in responses] == [404] * 5
    for response in responses:
        assert_no_content(response)
    assert log_of(tenant) == []


@pytest.mark.parametrize("role", [Role.AGENT, Role.VIEWER, Role.EDITOR])
def test_roles_without_the_right_see_the_shape_and_cannot_open(sign_in, tenant, role):
    trace = make_trace(tenant)
    client = sign_in(tenant, role)
    response = client.get(report_url(trace, tenant))
    assert response.status_code == 200
    assert_no_content(response)
    page = response.content.decode()
    assert "Owners, admins and reviewers can open it" in page
    assert open_url(trace, tenant) not in page
    refused = client.post(open_url(trace, tenant), {"reason": REASON})
    assert refused.status_code == 403
    assert_no_content(refused)
    assert log_of(tenant) == []


def test_roles_without_the_right_do_not_see_the_reasons_of_others(sign_in, tenant):
    trace = make_trace(tenant)
    sign_in(tenant, Role.REVIEWER).post(open_url(trace, tenant), {"reason": REASON})
    page = sign_in(tenant, Role.AGENT).get(report_url(trace, tenant)).content.decode()
    assert REASON not in page
    assert "Opened 1 time." in page


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.REVIEWER])
def test_roles_with_the_right_see_no_content_before_they_state_a_reason(sign_in, tenant, role):
    trace = make_trace(tenant)
    client = sign_in(tenant, role)
    responses = [client.get(report_url(trace, tenant))]
    responses += [
        client.post(open_url(trace, tenant), data) for data in ({}, {"reason": "abc"}, {"reason": "\u3164" * 9})
    ]
    assert [response.status_code for response in responses] == [200, 400, 400, 400]
    for response in responses:
        assert_no_content(response)
        assert open_url(trace, tenant) in response.content.decode()
    assert "at least 5 characters" in responses[1].content.decode()
    assert log_of(tenant) == []


def test_a_stated_reason_opens_the_report_and_is_logged(sign_in, tenant):
    trace = make_trace(tenant)
    response = sign_in(tenant, Role.REVIEWER).post(open_url(trace, tenant), {"reason": REASON})
    page = response.content.decode()
    assert response.status_code == 200
    assert SENTINEL in page
    assert f"<mark>{ANSWER}</mark>" in page
    assert "The search chose these sentences and the engine was limited to them" in page
    assert page.count('class="token token-4"') == 2  # one in the answer, one in the legend
    assert REASON in page
    assert log_of(tenant) == [(REASON, True)]


def test_opening_twice_is_logged_twice(sign_in, tenant):
    trace = make_trace(tenant)
    client = sign_in(tenant, Role.REVIEWER)
    for _ in range(2):
        client.post(open_url(trace, tenant), {"reason": REASON})
    assert log_of(tenant) == [(REASON, True)] * 2


def test_the_open_address_leads_back_to_the_locked_report(sign_in, tenant):
    trace = make_trace(tenant)
    response = sign_in(tenant, Role.REVIEWER).get(open_url(trace, tenant))
    assert response.url == report_url(trace, tenant)
    assert log_of(tenant) == []


def test_no_page_may_be_stored(sign_in, tenant):
    trace = make_trace(tenant)
    client = sign_in(tenant, Role.REVIEWER)
    for response in (
        client.get(list_url(tenant)),
        client.get(report_url(trace, tenant)),
        client.post(open_url(trace, tenant), {"reason": REASON}),
    ):
        assert "no-store" in response["Cache-Control"]


def test_the_opened_report_needs_nothing_that_the_content_security_policy_forbids(sign_in, tenant):
    trace = make_trace(tenant)
    response = sign_in(tenant, Role.REVIEWER).post(open_url(trace, tenant), {"reason": REASON})
    page = response.content.decode()
    assert re.findall(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", page) == []


def test_what_models_and_people_wrote_is_escaped(sign_in, tenant):
    trace = make_trace(tenant, make_record(make_content(question="<script>alert(1)</script>")))
    response = sign_in(tenant, Role.REVIEWER).post(open_url(trace, tenant), {"reason": "<b>bold reason</b>"})
    page = response.content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page


def test_a_refusal_opens_without_prompt_and_tokens(sign_in, tenant):
    record = make_record(make_refusal(), outcome=Outcome.REFUSED, first_token_ms=None, finish_reason="")
    trace = make_trace(tenant, record)
    page = sign_in(tenant, Role.REVIEWER).post(open_url(trace, tenant), {"reason": REASON}).content.decode()
    assert "no model used" in page
    assert "No prompt was sent" in page
    assert 'id="tokens"' not in page


@committed
def test_altered_content_is_an_error_page_without_content_and_the_attempt_is_logged(sign_in, tenant, owner_url):
    trace = make_trace(tenant)
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant.id)])
        connection.execute("UPDATE tracing_trace SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)")
    response = sign_in(tenant, Role.REVIEWER).post(open_url(trace, tenant), {"reason": REASON})
    assert response.status_code == 500
    assert "be opened: its key" in response.content.decode()
    assert_no_content(response)
    assert log_of(tenant) == [(REASON, False)]


def test_a_reply_without_a_trace_is_not_found(sign_in, tenant):
    client = sign_in(tenant, Role.REVIEWER)
    assert client.get(reverse("tracing:report", args=[tenant.slug, uuid.uuid4()])).status_code == 404


def test_the_list_shows_own_traces_newest_first_and_no_content(sign_in, tenant):
    traces = make_traces(tenant, 2)
    stranger = make_trace(make_tenant())
    response = sign_in(tenant, Role.VIEWER).get(list_url(tenant))
    page = response.content.decode()
    assert_no_content(response)
    assert page.index(str(traces[1].reply_id)) < page.index(str(traces[0].reply_id))
    assert str(stranger.reply_id) not in page


def test_the_list_filters_by_outcome_band_and_language(sign_in, tenant):
    answered = make_trace(tenant)
    refusal = make_record(make_refusal(), outcome=Outcome.REFUSED)
    refused = make_trace(tenant, refusal)
    chinese = make_trace(tenant, make_record(make_content(language="zh")))
    client = sign_in(tenant, Role.AGENT)
    by_filter = {
        "outcome=refused": {refused},
        "band=high": {answered, chinese},
        "language=zh": {chinese},
        "band=low&language=zh": set(),
        "band=nonsense": {answered, refused, chinese},
        "before=2": {answered},
        "before=99999999999999999999999": {answered, refused, chinese},
    }
    for query, expected in by_filter.items():
        page = client.get(f"{list_url(tenant)}?{query}").content.decode()
        assert {trace for trace in (answered, refused, chinese) if str(trace.reply_id) in page} == expected, query


def test_trace_page_continues_behind_its_last_row(tenant):
    make_traces(tenant, 3)
    with tenant_atomic(tenant.id):
        first = trace_page(TraceFilter(), limit=2)
        second = trace_page(TraceFilter(), limit=2, before=first.next_before)
    assert [trace.sequence for trace in first.rows] == [3, 2]
    assert ([trace.sequence for trace in second.rows], second.next_before) == ([1], None)


def test_an_empty_list_says_what_to_expect(sign_in, tenant):
    page = sign_in(tenant, Role.AGENT).get(list_url(tenant)).content.decode()
    assert "No answers yet" in page


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_takes_the_same_queries_for_any_number_of_rows(sign_in, tenant, rows, django_assert_num_queries):
    make_traces(tenant, rows)
    client = sign_in(tenant, Role.AGENT)
    with django_assert_num_queries(LIST_QUERIES):
        client.get(list_url(tenant))


@pytest.mark.parametrize("accesses", [1, 3])
def test_the_report_takes_the_same_queries_for_any_number_of_accesses(
    sign_in, tenant, accesses, django_assert_num_queries
):
    trace = make_trace(tenant)
    client = sign_in(tenant, Role.REVIEWER)
    for _ in range(accesses):
        client.post(open_url(trace, tenant), {"reason": REASON})
    with django_assert_num_queries(REPORT_QUERIES):
        client.get(report_url(trace, tenant))


def test_the_answers_of_a_conversation_lead_to_each_other_in_order(sign_in, tenant):
    first = make_trace(tenant)
    make_trace(tenant)  # of another conversation
    with tenant_atomic(tenant.id):
        visitor_id = first.conversation.visitor_id
    second = make_trace(tenant, visitor_id=visitor_id)
    client = sign_in(tenant, Role.AGENT)

    before = client.get(report_url(first, tenant)).content.decode()
    after = client.get(report_url(second, tenant)).content.decode()

    assert "answer 1 of 2 in this conversation" in before
    assert f'href="{report_url(second, tenant)}"' in before
    assert "answer 2 of 2 in this conversation" in after
    assert f'href="{report_url(first, tenant)}"' in after


def test_days_restrict_the_list_with_both_ends_included(tenant):
    from datetime import UTC, date, datetime

    from tracing.models import Trace

    traces = make_traces(tenant, 4)
    days = [1, 2, 3, 4]
    with tenant_atomic(tenant.id):
        for trace, day in zip(traces, days, strict=True):
            Trace.objects.filter(id=trace.id).update(created_at=datetime(2026, 3, day, 12, tzinfo=UTC))

        def listed(**wanted):
            return [row.created_at.day for row in trace_page(TraceFilter(**wanted)).rows]

        assert listed(since=date(2026, 3, 2), until=date(2026, 3, 3)) == [3, 2]
        assert listed(since=date(2026, 3, 4)) == [4]
        assert listed(since=date(2026, 3, 5)) == []
        assert listed(until=date(2026, 3, 1)) == [1]
        assert listed(until=date(2026, 2, 28)) == []

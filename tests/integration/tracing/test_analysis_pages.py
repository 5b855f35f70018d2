"""The drawer, and asking for analyses: who may, what is logged, and what the report then shows."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.tracing.rows import make_trace
from tests.unit.tracing.samples import ANSWER, SENTINEL, TOKENS, make_content, make_record
from tracing.analyses import record_analysis
from tracing.analysis_content import (
    AlternativeAnswer,
    Alternatives,
    Attribution,
    Difference,
    Replay,
    SentenceCauses,
    TokenChange,
)
from tracing.models import AnalysisJob, AnalysisKind, JobState, TraceAccess
from tracing.plain import to_plain

pytestmark = pytest.mark.django_db
REASON = "complaint 4711"
ENGINE = make_content().engine


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def trace(tenant):
    return make_trace(tenant)


@pytest.fixture
def sign_in(client):
    def as_role(tenant, role):
        user = make_user(tenant, role)
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return as_role


def url(name, trace, tenant):
    return reverse(f"tracing:{name}", args=[tenant.slug, trace.reply_id])


def reasons(tenant):
    with tenant_atomic(tenant.id):
        return list(TraceAccess.objects.values_list("reason", flat=True))


def jobs_of(tenant):
    with tenant_atomic(tenant.id):
        return list(AnalysisJob.objects.all())


def requests_to(client, trace, tenant):
    data = {"reason": REASON, "kind": "attribution"}
    return [
        client.get(url("drawer", trace, tenant)),
        client.post(url("drawer", trace, tenant), data),
        client.post(url("analyse", trace, tenant), data),
        client.get(url("jobs", trace, tenant)),
    ]


def test_anonymous_people_are_sent_to_the_sign_in(client, tenant, trace):
    assert {response.status_code for response in requests_to(client, trace, tenant)} == {302}
    assert (reasons(tenant), jobs_of(tenant)) == ([], [])


def test_another_tenants_owner_finds_nothing(sign_in, tenant, trace):
    other = make_tenant()
    client = sign_in(other, Role.OWNER)

    responses = requests_to(client, trace, tenant) + requests_to(client, trace, other)

    assert [response.status_code for response in responses] == [404] * 8
    assert (reasons(tenant), jobs_of(tenant), jobs_of(other)) == ([], [], [])


def test_an_agent_sees_the_shape_in_the_drawer_and_may_ask_for_nothing(sign_in, tenant, trace):
    responses = requests_to(sign_in(tenant, Role.AGENT), trace, tenant)

    assert [response.status_code for response in responses] == [200, 403, 403, 403]
    page = responses[0].content.decode()
    assert "Timeline" in page
    assert SENTINEL not in page
    assert ANSWER not in page
    assert (reasons(tenant), jobs_of(tenant)) == ([], [])


def test_a_reviewer_opens_the_drawer_for_a_reason(sign_in, tenant, trace):
    client = sign_in(tenant, Role.REVIEWER)

    refused = client.post(url("drawer", trace, tenant), {"reason": "x"})
    assert refused.status_code == 422
    assert "autofocus" in refused.content.decode()
    assert reasons(tenant) == []
    page = client.post(url("drawer", trace, tenant), {"reason": REASON}).content.decode()

    assert "Passages used and rejected" in page
    assert "What confidence is made of" in page
    assert reasons(tenant) == [REASON]


def test_asking_makes_one_job_and_is_logged_like_a_read(sign_in, tenant, trace):
    client = sign_in(tenant, Role.REVIEWER)
    chunk = str(uuid.uuid4())
    data = {"reason": REASON, "kind": "replay", "without": chunk, "is_free": "1"}

    page = client.post(url("analyse", trace, tenant), data).content.decode()

    (job,) = jobs_of(tenant)
    assert (job.kind, job.parameters) == ("replay", {"without": [chunk], "is_free": True})
    assert "Queued; runs when the engine is idle" in page
    assert reasons(tenant) == [REASON]
    assert client.get(url("jobs", trace, tenant)).json() == {"open": 1}


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "attribution"},
        {"kind": "attribution", "reason": "x"},
        {"kind": "divination", "reason": REASON},
        {"kind": "replay", "reason": REASON, "without": "not-a-chunk"},
    ],
)
def test_nonsense_is_refused_and_nothing_happens(sign_in, tenant, trace, data):
    response = sign_in(tenant, Role.REVIEWER).post(url("analyse", trace, tenant), data)

    assert response.status_code == 400
    assert SENTINEL not in response.content.decode()
    assert (reasons(tenant), jobs_of(tenant)) == ([], [])


def test_a_failed_job_says_why(sign_in, tenant, trace):
    with tenant_atomic(tenant.id):
        AnalysisJob.objects.create(trace=trace, kind="attribution", state=JobState.FAILED, error_code="nothing_to_do")

    page = sign_in(tenant, Role.REVIEWER).post(url("open", trace, tenant), {"reason": REASON}).content.decode()

    assert "Nothing to measure" in page


def store(tenant, trace, kind, result):
    with tenant_atomic(tenant.id):
        record_analysis(trace, kind=kind, content=to_plain(result), figures={}, duration_ms=1.0)


def test_the_report_shows_causes_replays_and_alternatives(sign_in, tenant, trace):
    content = make_content()
    half = len(content.answer) // 2
    store(
        tenant,
        trace,
        AnalysisKind.ATTRIBUTION,
        Attribution(
            method="leave_one_out",
            passages=(content.candidates[0].chunk,),
            sentences=(
                SentenceCauses(0, half, 4, -3.0, (8.5,)),
                SentenceCauses(half, len(content.answer), 4, -3.0, (0.05,)),
            ),
            passes=2,
            scored_tokens=900,
            drift=0.012,
            engine=ENGINE,
            duration_ms=1234.0,
        ),
    )
    store(
        tenant,
        trace,
        AnalysisKind.REPLAY,
        Replay(
            verdict="changed",
            answer="Delivery takes one day.",
            tokens=TOKENS[:2],
            engine=ENGINE,
            changes=(TokenChange(2, 8, 2, 2),),
            differences=(Difference("passages", "3", "-1"),),
            largest_shift=0.5,
            mean_shift=0.1,
            duration_ms=10.0,
        ),
    )
    store(
        tenant,
        trace,
        AnalysisKind.ALTERNATIVES,
        Alternatives(
            answers=(AlternativeAnswer("<b>Perhaps</b> tomorrow.", -0.7, 5),),
            temperature=0.8,
            engine=ENGINE,
            duration_ms=9.0,
        ),
    )

    page = sign_in(tenant, Role.OWNER).post(url("open", trace, tenant), {"reason": REASON}).content.decode()

    assert "+8.50" in page
    assert page.count("not grounded in any passage") == 1
    assert "2 readings, 900 tokens in total" in page
    assert "<del> two to four working days.</del>" in page
    assert "&lt;b&gt;Perhaps&lt;/b&gt; tomorrow." in page


def test_an_answer_that_nothing_was_generated_for_offers_no_analysis(sign_in, tenant):
    from tests.unit.tracing.samples import make_refusal

    trace = make_trace(tenant, make_record(make_refusal()))

    page = sign_in(tenant, Role.OWNER).post(url("open", trace, tenant), {"reason": REASON}).content.decode()

    assert "Nothing was generated, so there is nothing to trace back to a passage." in page
    assert url("analyse", trace, tenant) not in page


def test_asking_about_an_erased_answer_asks_for_nothing(sign_in, tenant, trace):
    from tracing.erase import erase_customer

    with tenant_atomic(tenant.id):
        erase_customer(trace.conversation.visitor)

    response = sign_in(tenant, Role.REVIEWER).post(
        url("analyse", trace, tenant), {"reason": REASON, "kind": "attribution"}
    )

    assert response.status_code == 410
    assert jobs_of(tenant) == []


def test_too_many_passages_to_leave_out_are_refused(sign_in, tenant, trace):
    chunks = [str(uuid.uuid4()) for _ in range(900)]

    response = sign_in(tenant, Role.REVIEWER).post(
        url("analyse", trace, tenant), {"reason": REASON, "kind": "replay", "without": chunks}
    )

    assert response.status_code == 400
    assert jobs_of(tenant) == []


def test_a_failure_is_forgotten_when_the_same_kind_has_succeeded_since(sign_in, tenant, trace):
    with tenant_atomic(tenant.id):
        AnalysisJob.objects.create(trace=trace, kind="replay", state=JobState.FAILED, error_code="engine")
        AnalysisJob.objects.create(trace=trace, kind="replay", state=JobState.DONE)

    page = sign_in(tenant, Role.REVIEWER).post(url("open", trace, tenant), {"reason": REASON}).content.decode()

    assert "The engine failed several times" not in page


@pytest.mark.parametrize("query", ["until=9999-12-31", "since=0001-01-01", "since=9999-12-31&until=0001-01-01"])
def test_days_at_the_ends_of_the_calendar_are_no_error(sign_in, tenant, trace, query):
    client = sign_in(tenant, Role.REVIEWER)

    for name in ("list", "export_csv"):
        assert client.get(f"{reverse(f'tracing:{name}', args=[tenant.slug])}?{query}").status_code == 200

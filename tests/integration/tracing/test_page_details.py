"""Small things that people read on the pages: folded log entries, numbers, labels, and limits."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from conversations.models import Visitor
from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.tracing.exporting import exported
from tests.integration.tracing.rows import make_trace
from tests.unit.tracing.samples import make_candidate, make_content, make_record
from tracing import throttles, words
from tracing.erase import erase_customer
from tracing.export.html import trace_page
from tracing.facts import engine_facts
from tracing.models import TraceAccess
from tracing.read import Reading, accesses_of

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


def entry(minutes, *, user=1, reason=REASON, opened=True):
    return TraceAccess(
        tenant_id=uuid4(), user_id=user, reason=reason, opened=opened, at=timezone.now() - timedelta(minutes=minutes)
    )


def test_only_the_same_person_reason_and_outcome_minutes_apart_belong_together():
    newest = Reading(entry(0), entry(0).at)
    assert newest.continues(entry(9))
    others = [entry(11), entry(9, user=2), entry(9, reason="another file"), entry(9, opened=False), entry(9, user=None)]
    assert [newest.continues(each) for each in others] == [False] * 5


def test_entries_of_the_log_are_folded_where_they_are_read_and_nowhere_else(sign_in, tenant):
    trace = make_trace(tenant)
    client = sign_in(tenant, Role.REVIEWER)
    url = reverse("tracing:open", args=[tenant.slug, trace.reply_id])
    for reason in (REASON, REASON, REASON, "another file"):
        page = client.post(url, {"reason": reason}).content.decode()
    with tenant_atomic(tenant.id):
        assert [(each.access.reason, each.times) for each in accesses_of(trace)] == [("another file", 1), (REASON, 3)]
        assert TraceAccess.objects.count() == 4
    assert page.count("3 times") == 1


def test_the_drawer_of_an_erased_record_says_so(sign_in, tenant):
    trace = make_trace(tenant)
    url = reverse("tracing:drawer", args=[tenant.slug, trace.reply_id])
    client = sign_in(tenant, Role.REVIEWER)
    assert "The content is sealed" in client.get(url).content.decode()
    with tenant_atomic(tenant.id):
        erase_customer(Visitor.objects.get(conversations=trace.conversation_id))
    page = client.get(url).content.decode()
    assert ("The content was erased" in page, "The content is sealed" in page) == (True, False)


def test_large_numbers_have_their_digits_in_groups(sign_in, tenant):
    make_trace(tenant)
    assert (words.count(10_000), words.count(999)) == ("10,000", "999")
    client = sign_in(tenant, Role.VIEWER)
    assert "up to 10,000 answers" in client.get(reverse("tracing:list", args=[tenant.slug])).content.decode()


def test_what_is_recorded_of_the_embedder_has_chinese_labels():
    embedder = {"model": "e5", "revision": "1", "query_prefix": "query: ", "passage_prefix": "", "torch": "2.8"}
    with override("zh-hans"):
        labels = [name for name, _ in engine_facts(make_content(embedder=embedder, engine=None))]
    assert labels == ["向量模型", "向量模型版本", "向量模型的问题前缀", "向量模型：torch"]


def test_a_passage_without_a_heading_leaves_no_dot_behind(tenant):
    make_trace(tenant, make_record(make_content(candidates=(make_candidate(1, heading="", slug=""),))))
    with tenant_atomic(tenant.id):
        page = trace_page(exported(tenant)[0], tenant=tenant.slug).decode()
    about = [
        re.sub(r"<[^>]+>|\s+", " ", part).strip()
        for part in re.findall(r'<p class="soft">(.*?version.*?)</p>', page, re.S)
    ]
    assert [each for each in about if each.startswith("·") or each.endswith("·")] == []


def test_files_are_limited_for_each_person(sign_in, tenant, monkeypatch):
    cache.clear()
    monkeypatch.setattr(throttles, "EXPORTS_PER_WINDOW", 2)
    monkeypatch.setattr(throttles, "WINDOW_SECONDS", 10**9)
    make_trace(tenant)
    url = reverse("tracing:export_csv", args=[tenant.slug])
    client = sign_in(tenant, Role.VIEWER)
    assert [client.get(url).status_code for _ in range(3)] == [200, 200, 429]
    contents = reverse("tracing:export_jsonl", args=[tenant.slug])
    client = sign_in(tenant, Role.REVIEWER)
    assert [client.post(contents, {"reason": REASON}).status_code for _ in range(3)] == [200, 200, 429]
    cache.clear()

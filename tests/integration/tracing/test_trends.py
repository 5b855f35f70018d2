"""Answers over time: what is counted on which day, for which filter, and what is kept for a minute."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from conversations.models import Outcome
from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.tracing.rows import make_trace
from tests.integration.tracing.vault import aged_trace
from tests.unit.tracing.samples import make_record, make_refusal
from tracing.models import Trace
from tracing.queries import TraceFilter
from tracing.trends import Day, days_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def tenant():
    return make_tenant()


def days(tenant, wanted=None, period=7):
    with tenant_atomic(tenant.id):
        return days_of(wanted or TraceFilter(), period=period)


def test_each_day_counts_its_own_answers_of_this_company(tenant, monkeypatch):
    today = timezone.localdate()
    make_trace(tenant)
    make_trace(tenant, make_record(make_refusal(), outcome=Outcome.REFUSED))
    aged_trace(tenant, 3, monkeypatch)
    aged_trace(tenant, 7, monkeypatch)
    make_trace(make_tenant())
    found = days(tenant)
    assert [day.day for day in found] == [today - timedelta(days=back) for back in range(6, -1, -1)]
    assert [(day.answered, day.refused, day.stopped, day.total) for day in found] == [
        (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (1, 0, 0, 1), (0, 0, 0, 0), (0, 0, 0, 0), (1, 1, 0, 2),
    ]  # fmt: skip
    assert all(day.high + day.medium + day.low == day.total for day in found)
    assert found[0] == Day(found[0].day)


def test_the_median_is_the_time_from_the_question_to_the_answer(tenant):
    record = make_record()
    for _ in range(3):
        make_trace(tenant, record)
    with tenant_atomic(tenant.id):
        times = sorted(trace.queue_ms + trace.total_ms for trace in Trace.objects.all())
    assert days(tenant)[-1].median_ms == pytest.approx(times[1])


def test_the_filter_holds_for_the_charts_but_its_days_do_not(tenant):
    make_trace(tenant)
    make_trace(tenant, make_record(make_refusal(), outcome=Outcome.REFUSED))
    wanted = TraceFilter(outcome="refused", since=timezone.localdate() + timedelta(days=2))
    assert [(day.answered, day.refused) for day in days(tenant, wanted)][-1] == (0, 1)


def test_the_numbers_are_kept_for_a_moment_and_for_one_company_only(tenant):
    make_trace(tenant)
    assert days(tenant)[-1].total == 1
    make_trace(tenant)
    assert days(tenant)[-1].total == 1
    assert days(make_tenant())[-1].total == 0
    cache.clear()
    assert days(tenant)[-1].total == 2


def test_days_are_those_of_the_readers_time_zone(tenant):
    trace = make_trace(tenant)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        with timezone.override(zone):
            local = timezone.localdate(trace.created_at)
            assert [day.day for day in days(tenant) if day.total] == [local]


def test_the_list_draws_the_period_with_a_table_of_the_same_numbers(client, tenant):
    make_trace(tenant)
    client.force_login(make_user(tenant, Role.VIEWER), backend="allauth.account.auth_backends.AuthenticationBackend")
    url = reverse("tracing:list", args=[tenant.slug])
    page = client.get(url, {"outcome": "answered", "period": "7"}).content.decode()
    assert page.count('class="trend-ground"') == 14
    assert 'href="?outcome=answered&amp;period=90"' in page
    assert page.count('<th scope="row">') == 1
    assert client.get(url, {"period": "8000000"}).content.decode().count('class="trend-ground"') == 60
    assert "trend-charts" not in client.get(url, {"before": "9"}).content.decode()
    empty = client.get(url, {"outcome": "stopped"}).content.decode()
    assert "No answers in this period." in empty

"""What the overview counts and draws: settled answers and pairs of blind reviews, by week, of this company."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Message
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from reviews.figure_charts import figures
from reviews.figures import FigureFilter, Week, weeks_of
from reviews.models import ReviewItem, SampledFor
from tests.factories import make_tenant
from tests.integration.reviews.rows import GOOD, MISREAD, TONE, judge, make_item, reviewer

pytestmark = pytest.mark.django_db
# Session, person, then savepoints, scope settings and membership of `desk_view`, then the page's own.
OVERVIEW_QUERIES = 16


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def weeks(tenant: Tenant, period: int = 12, **wanted: str) -> list[Week]:
    with tenant_atomic(tenant.id):
        return weeks_of(FigureFilter(**wanted), period=period)


def test_settled_answers_and_pairs_of_this_week(tenant: Tenant) -> None:
    first, second, third = (reviewer(tenant) for _ in range(3))
    for answers in ([GOOD], [TONE], [GOOD, GOOD], [MISREAD, TONE, TONE], [MISREAD, GOOD]):
        make_item(tenant, needs_second=len(answers) > 1)
        for user, answer in zip((first, second, third), answers, strict=False):
            judge(tenant, user, answer)
    other = make_tenant()
    make_item(other)
    judge(other, reviewer(other))
    *before, this = weeks(tenant)
    # The last one waits for a third person: nothing is settled, and yet two have spoken.
    assert (this.good, dict(this.wrong)) == (2, {"tone": 2})
    assert dict(this.verdicts) == {("good", "good"): 1, ("wrong", "wrong"): 1, ("wrong", "good"): 1}
    assert dict(this.causes) == {("misread", "tone"): 1}
    assert [week.total for week in before] == [0] * 11


def test_queue_and_language_restrict_and_older_weeks_are_older(tenant: Tenant) -> None:
    user = reviewer(tenant)
    items = [make_item(tenant, SampledFor.THUMBS_DOWN), make_item(tenant), make_item(tenant)]
    for _ in items:
        judge(tenant, user)
    with tenant_atomic(tenant.id):
        Message.objects.filter(replies=items[1].reply_id).update(language="zh")
        ReviewItem.objects.filter(id=items[2].id).update(done_at=timezone.now() - timedelta(weeks=2))
    assert [week.good for week in weeks(tenant)][-3:] == [1, 0, 2]
    assert sum(week.good for week in weeks(tenant, sampled_for="thumbs_down")) == 1
    assert sum(week.good for week in weeks(tenant, language="zh")) == 1
    assert len(weeks(tenant, period=52)) == 52


def test_what_is_not_defined_is_said_and_not_drawn(tenant: Tenant) -> None:
    nothing = figures(weeks(tenant))
    assert (nothing.total, nothing.dots, nothing.lines) == (0, [], [])
    assert [row.kappa for row in nothing.agreement] == ["–", "–"]
    make_item(tenant, needs_second=True)
    for _ in range(2):
        judge(tenant, reviewer(tenant))
    one = figures(weeks(tenant))
    assert [row.observed for row in one.agreement] == ["100 %", "–"]
    assert "Not defined" in one.agreement[0].remark
    assert one.dots == []


@pytest.mark.parametrize("count", [1, 3])
def test_the_overview_costs_the_same_however_much_there_is(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        make_item(tenant)
        judge(tenant, reviewer(tenant))
        make_item(tenant)
    client.force_login(reviewer(tenant))
    address = reverse("reviews:overview", args=[tenant.slug])
    client.get(address)
    with django_assert_num_queries(OVERVIEW_QUERIES):
        page = client.get(address, {"period": "26", "sampled_for": "random", "language": "x"})
    assert f"{count} answer" in page.content.decode()

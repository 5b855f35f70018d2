"""Two answers side by side: who may, what is logged, what is shown."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.tracing.rows import make_trace
from tests.unit.tracing.samples import ANSWER, SENTINEL, make_content, make_record
from tracing.compare import compare, marked_difference
from tracing.models import TraceAccess

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


def url(tenant, *traces):
    query = "&".join(f"reply={trace.reply_id}" for trace in traces)
    return f"{reverse('tracing:compare', args=[tenant.slug])}?{query}"


def accesses(tenant):
    with tenant_atomic(tenant.id):
        return TraceAccess.objects.count()


def test_access_is_that_of_the_reports(client, sign_in, tenant):
    pair = make_trace(tenant), make_trace(tenant)
    other = make_tenant()
    theirs = make_trace(other)

    assert client.get(url(tenant, *pair)).status_code == 302
    assert sign_in(other, Role.OWNER).get(url(tenant, *pair)).status_code == 404
    assert sign_in(tenant, Role.OWNER).get(url(tenant, pair[0], theirs)).status_code == 404
    assert sign_in(tenant, Role.OWNER).post(url(tenant, pair[0], theirs), {"reason": REASON}).status_code == 404
    agent = sign_in(tenant, Role.AGENT)
    assert agent.get(url(tenant, *pair)).status_code == 200
    assert agent.post(url(tenant, *pair), {"reason": REASON}).status_code == 403
    assert (accesses(tenant), accesses(other)) == (0, 0)


def test_the_shape_is_shown_at_once_and_the_content_for_a_reason(sign_in, tenant):
    changed = replace(make_content(), answer="Delivery takes two to five working days.")
    pair = make_trace(tenant), make_trace(tenant, make_record(changed))
    reviewer = sign_in(tenant, Role.REVIEWER)

    locked = reviewer.get(url(tenant, *pair)).content.decode()
    assert ANSWER not in locked
    assert SENTINEL not in locked
    assert reviewer.post(url(tenant, *pair), {"reason": "x"}).status_code == 400
    assert accesses(tenant) == 0
    opened = reviewer.post(url(tenant, *pair), {"reason": REASON}).content.decode()

    assert "<del>four</del>" in opened
    assert "<ins>five</ins>" in opened
    assert "exactly the same prompt" in opened
    assert accesses(tenant) == 2


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_than_two_says_what_to_do(sign_in, tenant, count):
    traces = [make_trace(tenant) for _ in range(count)]
    client = sign_in(tenant, Role.REVIEWER)

    for response in (client.get(url(tenant, *traces)), client.post(url(tenant, *traces), {"reason": REASON})):
        assert response.status_code == 400
        assert "Select exactly two answers" in response.content.decode()
    assert accesses(tenant) == 0


def test_nonsense_in_the_address_is_refused(sign_in, tenant):
    client = sign_in(tenant, Role.OWNER)

    assert client.get(url(tenant) + "reply=nonsense&reply=1").status_code == 400
    assert client.get(url(tenant) + f"reply={uuid.uuid4()}&reply={uuid.uuid4()}").status_code == 404


def test_chinese_is_compared_by_character():
    old, new = marked_difference("两天内送达。", "三天内送达。")

    assert [(piece.text, piece.change) for piece in old] == [("两", "old"), ("天内送达。", "")]
    assert [(piece.text, piece.change) for piece in new] == [("三", "new"), ("天内送达。", "")]


def test_a_refusal_compares_with_an_answer():
    from tests.unit.tracing.samples import make_refusal

    found = compare(make_content(), make_refusal())

    assert not found.same_prompt
    assert all(row.right == "–" for row in found.passages)

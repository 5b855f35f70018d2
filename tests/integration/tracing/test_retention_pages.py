"""Pages about how long records are kept: who may, what is logged in the chain, and what tampering shows."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.tracing.rows import make_trace
from tests.integration.tracing.vault import aged_trace, findings, tamperer, verified
from tracing import retention_changes
from tracing.holds import active_holds, place_hold
from tracing.models import LegalHold, RetentionChange, RetentionPolicy
from tracing.retention import apply_retention, set_policy
from tracing.retention_changes import ChangeNotLogged

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HTTP_HX_REQUEST": "true"}
REASON = "court order 12"


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
        client.user = user
        return client

    return as_role


def page_url(tenant):
    return reverse("tracing:retention", args=[tenant.slug])


def hold_url(tenant, trace, name="hold"):
    return reverse(f"tracing:{name}", args=[tenant.slug, trace.conversation_id])


def requests_of(client, tenant, trace):
    return [
        client.get(page_url(tenant)),
        client.post(page_url(tenant), {"prompts": "1", "answers": "1", "metrics": "1"}),
        client.get(hold_url(tenant, trace)),
        client.post(hold_url(tenant, trace, "change_hold"), {"reason": REASON}),
    ]


def state_of(tenant):
    with tenant_atomic(tenant.id):
        changes = RetentionChange.objects.order_by("sequence").values_list("kind", "user_id", "reason", "policy")
        return RetentionPolicy.objects.count(), active_holds().count(), list(changes)


def test_an_anonymous_person_is_sent_to_the_sign_in(client, tenant, trace):
    for response in requests_of(client, tenant, trace):
        assert response.url.startswith("/accounts/login/")
    assert state_of(tenant) == (0, 0, [])


def test_another_companys_owner_finds_nothing(sign_in, tenant, trace):
    other = make_tenant()
    client = sign_in(other, Role.OWNER)
    assert [response.status_code for response in requests_of(client, tenant, trace)] == [404] * 4
    foreign = [
        client.get(hold_url(other, trace)),
        client.post(hold_url(other, trace, "change_hold"), {"reason": REASON}),
    ]
    assert [response.status_code for response in foreign] == [404, 404]
    assert (state_of(tenant), state_of(other)) == ((0, 0, []), (0, 0, []))


@pytest.mark.parametrize("role", [Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER])
def test_other_roles_are_refused_and_are_shown_no_way_there(sign_in, tenant, trace, role):
    client = sign_in(tenant, role)
    assert [response.status_code for response in requests_of(client, tenant, trace)] == [403] * 4
    assert state_of(tenant) == (0, 0, [])
    listed = client.get(reverse("tracing:list", args=[tenant.slug])).content.decode()
    conversation = reverse("desk:conversation", args=[tenant.slug, trace.conversation_id])
    seen = client.get(conversation).content.decode()
    with tenant_atomic(tenant.id):
        visitor = str(trace.conversation.visitor_id)
    assert (page_url(tenant) in listed, hold_url(tenant, trace) in seen, visitor in seen) == (False, False, False)


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_owners_and_admins_set_the_policy_and_it_is_logged_once(sign_in, tenant, role):
    client = sign_in(tenant, role)
    for _ in range(2):
        assert client.post(page_url(tenant), {"prompts": "30", "answers": "90", "metrics": ""}).status_code == 302
    policy = {"prompts": 30, "answers": 90, "metrics": None}
    assert state_of(tenant) == (1, 0, [("policy_set", client.user.pk, "", policy)])
    page = client.get(page_url(tenant)).content.decode()
    assert 'value="30"' in page
    assert "prompts: 30 days, answers: 90 days, records: kept" in page
    assert verified(tenant).is_sound


@pytest.mark.parametrize(
    "days",
    [
        {"prompts": "90", "answers": "30", "metrics": ""},
        {"prompts": "", "answers": "30", "metrics": ""},
        {"prompts": "0", "answers": "", "metrics": ""},
        {"prompts": "soon", "answers": "", "metrics": ""},
        {"prompts": "99999999999", "answers": "", "metrics": ""},
    ],
)
def test_a_policy_that_makes_no_sense_comes_back_and_changes_nothing(sign_in, tenant, days):
    response = sign_in(tenant, Role.OWNER).post(page_url(tenant), days)
    assert (response.status_code, state_of(tenant)) == (400, (0, 0, []))
    assert 'role="alert"' in response.content.decode() or "field-error" in response.content.decode()


def test_receipts_are_shown_without_content(sign_in, tenant, monkeypatch):
    aged_trace(tenant, 40, monkeypatch)
    with tenant_atomic(tenant.id):
        set_policy(prompts=30, answers=None, metrics=None)
    apply_retention(tenant.id)
    page = sign_in(tenant, Role.ADMIN).get(page_url(tenant)).content.decode()
    assert "#1–#1" in page
    assert "How long does delivery take?" not in page


def test_a_conversation_is_held_and_released_for_a_reason(sign_in, tenant, trace):
    client = sign_in(tenant, Role.ADMIN)
    url = hold_url(tenant, trace, "change_hold")
    refused = client.post(url, {"reason": " "}, **HTMX)
    assert (refused.status_code, state_of(tenant)[1]) == (422, 0)
    for _ in range(2):
        held = client.post(url, {"reason": REASON, "action": "hold"}, **HTMX).content.decode()
    assert (REASON in held, "<html" in held) == (True, False)
    assert REASON in client.get(page_url(tenant)).content.decode()
    client.post(url, {"reason": "case closed", "action": "release"})
    client.post(url, {"reason": "case closed", "action": "release"})
    placed, released = ("hold_placed", client.user.pk, REASON, {}), ("hold_released", client.user.pk, "case closed", {})
    assert state_of(tenant) == (0, 0, [placed, released])
    with tenant_atomic(tenant.id):
        assert LegalHold.objects.get().released_by_id == client.user.pk
    assert verified(tenant).is_sound


def test_a_hold_needs_a_conversation_of_this_company(sign_in, tenant):
    client = sign_in(tenant, Role.OWNER)
    url = reverse("tracing:change_hold", args=[tenant.slug, uuid.uuid4()])
    assert client.post(url, {"reason": REASON}).status_code == 404


def test_owners_see_the_visitors_id_and_the_way_to_the_hold(sign_in, tenant, trace):
    client = sign_in(tenant, Role.OWNER)
    page = client.get(reverse("desk:conversation", args=[tenant.slug, trace.conversation_id])).content.decode()
    with tenant_atomic(tenant.id):
        visitor = str(trace.conversation.visitor_id)
    assert (visitor in page, hold_url(tenant, trace) in page) == (True, True)


def test_what_cannot_be_logged_is_not_changed(tenant, trace, monkeypatch):
    from helpdesk.crypto import SealError

    def without_key(row):
        raise SealError("no key")

    monkeypatch.setattr(retention_changes, "append_to_chain", without_key)
    with pytest.raises(ChangeNotLogged), tenant_atomic(tenant.id):
        set_policy(prompts=1, answers=1, metrics=1)
    with pytest.raises(ChangeNotLogged), tenant_atomic(tenant.id):
        place_hold(trace.conversation, user=None, reason=REASON)
    assert state_of(tenant) == (0, 0, [])


def test_a_changed_entry_of_the_log_is_found_and_named(tenant, trace, owner_url):
    with tenant_atomic(tenant.id):
        place_hold(trace.conversation, user=None, reason=REASON)
    tamper = tamperer(owner_url, tenant)
    tamper(
        "ALTER TABLE tracing_retentionchange DISABLE TRIGGER append_only",
        "UPDATE tracing_retentionchange SET reason = 'none of your business'",
        "ALTER TABLE tracing_retentionchange ENABLE TRIGGER append_only",
    )
    assert findings(tenant) == [("altered", "retentionchange", 2)]

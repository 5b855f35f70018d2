"""The form before the chat: who sets it, what it takes, who sees what was told, and what erasure takes."""

from __future__ import annotations

import uuid
from threading import Thread
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client

from conversations import domain
from conversations.identity.visitors import VisitorIdentity, issue_token
from conversations.models import PreChat, Visitor
from conversations.pre_chat.changing import NewPreChat, change_pre_chat
from conversations.pre_chat.telling import asked_of, tell
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant, make_ticket, make_user
from tracing.erase import erase_customer

pytestmark = pytest.mark.django_db(transaction=True)
GIVEN = {"name": " Lin ", "email": "Lin@Example.org", "own": "MG-1", "consent": True}


@pytest.fixture(autouse=True)
def no_counts() -> None:
    cache.clear()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def visitor(tenant: Tenant) -> uuid.UUID:
    return domain.begin_visit(tenant.id)


def switch_on(tenant: Tenant, **changed: Any) -> None:
    values: dict[str, Any] = {
        "is_on": True, "name": "optional", "email": "required", "own": "optional",
        "own_label": {"en": "Order", "zh": "订单号"}, "consent": {"en": "I agree."},
    }  # fmt: skip
    with tenant_atomic(tenant.id):
        row = PreChat.objects.first()
    based_on = row.version if row else 0
    change_pre_chat(tenant_id=tenant.id, based_on=based_on, new=NewPreChat(**values | changed))


def told(tenant: Tenant, visitor: uuid.UUID) -> dict[str, str]:
    with tenant_atomic(tenant.id):
        return dict(Visitor.objects.get(id=visitor).told)


def put(tenant: Tenant, visitor: uuid.UUID | None, body: Any, language: str = "en") -> Any:
    headers = {"Authorization": f"Bearer {issue_token(VisitorIdentity(tenant.id, visitor))}"} if visitor else {}
    path = f"/widget/{tenant.slug}/details?language={language}"
    return Client().put(path, body, content_type="application/json", headers=headers)


def client_of(tenant: Tenant, role: Role) -> Client:
    client = Client()
    client.force_login(make_user(tenant, role))
    return client


def test_it_is_off_by_default_and_asked_once(tenant, visitor):
    def asked() -> Any:
        with tenant_atomic(tenant.id):
            return asked_of(visitor, "zh")

    assert asked() is None
    with pytest.raises(NotFound):
        tell(tenant_id=tenant.id, visitor_id=visitor, given=GIVEN, language="en")
    switch_on(tenant)
    assert asked() == {
        "name": "optional", "email": "required", "own": "optional", "own_label": "订单号", "consent": "I agree.",
    }  # fmt: skip
    tell(tenant_id=tenant.id, visitor_id=visitor, given=GIVEN, language="en")
    kept = told(tenant, visitor)
    assert kept.pop("at")
    assert kept == {
        "name": "Lin", "email": "lin@example.org", "own": "MG-1", "own_label": "Order", "consent": "I agree.",
    }  # fmt: skip
    with tenant_atomic(tenant.id):
        assert Visitor.objects.get(id=visitor).answer_email == "lin@example.org"
    assert asked() is None
    with pytest.raises(NotFound):
        tell(tenant_id=tenant.id, visitor_id=visitor, given=GIVEN | {"name": "Else"}, language="en")


def test_the_session_says_what_is_asked_and_nothing_of_whom_the_company_signs_in(tenant, visitor):
    switch_on(tenant)

    def session() -> Any:
        headers = {
            "Glassdesk-Ticket": make_ticket(tenant),
            "Authorization": f"Bearer {issue_token(VisitorIdentity(tenant.id, visitor))}",
        }
        return Client().post(f"/widget/{tenant.slug}/session", headers=headers).json()

    assert session()["pre_chat"]["own_label"] == "Order"
    with tenant_atomic(tenant.id):
        Visitor.objects.filter(id=visitor).update(subject="customer-7")
    assert session()["pre_chat"] is None


@pytest.mark.parametrize(
    ("changed", "parameter"),
    [
        ({"email": ""}, "email"),
        ({"email": "lin"}, "email"),
        ({"email": "a@b.example\nBcc: c@d.example"}, "email"),
        ({"name": "x" * 121}, "name"),
        ({"name": "Lin\x00"}, None),
        ({"own": ["x"]}, None),
        ({"consent": False}, "consent"),
        ({"consent": "yes"}, "consent"),
    ],
)
def test_what_cannot_be_kept_is_refused_beside_its_field(tenant, visitor, changed, parameter):
    switch_on(tenant)
    response = put(tenant, visitor, GIVEN | changed)
    assert (response.status_code, response.json()["error"].get("parameter"), told(tenant, visitor)) == (
        400,
        parameter,
        {},
    )


def test_each_visitor_tells_of_themselves_only(tenant, visitor):
    switch_on(tenant)
    other = make_tenant()
    switch_on(other)
    token = issue_token(VisitorIdentity(tenant.id, visitor))
    crossed = Client().put(
        f"/widget/{other.slug}/details",
        GIVEN,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert [
        put(tenant, None, GIVEN).status_code, crossed.status_code, put(other, visitor, GIVEN).status_code,
        put(tenant, visitor, ["x"]).status_code,
    ] == [401, 401, 404, 400]  # fmt: skip
    assert told(tenant, visitor) == {}
    assert put(tenant, visitor, GIVEN).status_code == 204


def test_twice_at_once_is_kept_once(tenant, visitor):
    switch_on(tenant)
    outcomes: list[str] = []

    def run(name: str) -> None:
        try:
            tell(tenant_id=tenant.id, visitor_id=visitor, given=GIVEN | {"name": name}, language="en")
            outcomes.append("kept")
        except NotFound:
            outcomes.append("known")
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["kept", "known", "known", "known"]


def test_owners_and_admins_set_it_and_nobody_else(tenant):
    address = f"/desk/{tenant.slug}/widget/before/"
    typed = {"is_on": "on", "name": "required", "email": "no", "own": "no", "based_on": "0"}
    for role in Role:
        allowed = role in {Role.OWNER, Role.ADMIN}
        client = client_of(tenant, role)
        assert client.get(address).status_code == (200 if allowed else 403)
        if not allowed:
            assert client.post(address, typed).status_code == 403
    assert client_of(make_tenant(), Role.OWNER).post(address, typed).status_code == 404
    owner = client_of(tenant, Role.OWNER)
    assert owner.post(address, typed | {"own": "required"}).status_code == 400
    assert owner.post(address, typed | {"name": "no"}).status_code == 400
    assert [owner.post(address, typed).status_code, owner.post(address, typed | {"name": "optional"}).status_code] == [
        302,
        409,
    ]
    with tenant_atomic(tenant.id):
        row = PreChat.objects.get()
    assert (row.is_on, row.name, row.version) == (True, "required", 1)


def test_a_form_that_asks_for_nothing_cannot_be_switched_on(tenant):
    with pytest.raises(InvalidInput):
        switch_on(tenant, name="no", email="no", own="no", consent={})
    with pytest.raises(InvalidInput):
        switch_on(tenant, own_label={})


def test_people_see_what_was_told_and_erasure_takes_it(tenant, visitor):
    switch_on(tenant)
    tell(tenant_id=tenant.id, visitor_id=visitor, given=GIVEN | {"name": "<i>Lin</i>"}, language="en")
    conversation, _, _ = make_question(tenant, visitor_id=visitor)
    page = client_of(tenant, Role.AGENT).get(f"/desk/{tenant.slug}/inbox/{conversation.id}/").content.decode()
    for words in ("&lt;i&gt;Lin&lt;/i&gt;", "lin@example.org", "MG-1", "Order"):
        assert words in page
    with tenant_atomic(tenant.id):
        erase_customer(Visitor.objects.get(id=visitor))
    assert told(tenant, visitor) == {}

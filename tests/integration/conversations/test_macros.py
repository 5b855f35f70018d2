"""Macros: several actions in one go, on one conversation or many; all or nothing."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations import domain
from conversations.inbox import labels
from conversations.inbox.macros import Steps, change_macro, create_macro, delete_macro, macros
from conversations.models import Conversation, Label, Labelling, Macro, Message, Note
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import SYSTEM
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def agent(tenant: Tenant, client: Client) -> User:
    person = make_user(tenant)
    client.force_login(person)
    return person


def make_label(tenant: Tenant, name: str = "Refund") -> Label:
    with tenant_atomic(tenant.id):
        return labels.create_label(name=name, colour="red", actor=SYSTEM)


def make_macro(tenant: Tenant, *orders: str, name: str = "Refund", **texts: str) -> Macro:
    with tenant_atomic(tenant.id):
        return create_macro(name=name, steps=Steps(orders, **texts), actor=SYSTEM)


def run(client: Client, tenant: Tenant, macro_id: uuid.UUID, *conversations: Conversation) -> Any:
    data = {"do": f"macro:{macro_id}", "conversation": [str(each.id) for each in conversations]}
    return client.post(reverse("desk:act", args=[tenant.slug]), data, headers={"HX-Request": "true"})


def row(tenant: Tenant, conversation: Conversation) -> Conversation:
    with tenant_atomic(tenant.id):
        found: Conversation = Conversation.objects.get(id=conversation.id)
        return found


def said(tenant: Tenant, conversation: Conversation) -> list[str]:
    with tenant_atomic(tenant.id):
        rows = Message.objects.filter(conversation=conversation.id, author="person").order_by("position")
        return list(rows.values_list("body", flat=True))


def test_everything_is_done_with_all_that_are_marked(client: Client, tenant: Tenant, agent: User) -> None:
    label, other = make_label(tenant), make_user(tenant)
    english, chinese, closed = (
        make_question(tenant)[0],
        make_question(tenant, language="zh")[0],
        make_question(tenant)[0],
    )
    domain.close_conversation(tenant_id=tenant.id, conversation_id=closed.id)
    macro = make_macro(
        tenant, "resolve", f"assign:{other.pk}", "priority:high", f"label:{label.id}",
        reply_en="Hi {customer name}, {agent name} here.", reply_zh="{客户姓名}您好，我是{客服姓名}。", note="Refunded",
    )  # fmt: skip
    response = run(client, tenant, macro.id, english, chinese, closed)
    assert json.loads(response.headers["HX-Trigger"]) == {"acted": {"text": "2 conversations updated."}}
    assert (said(tenant, english), said(tenant, chinese)) == (
        [f"Hi there, {agent} here."],
        [f"您好，我是{agent}。"],
    )
    assert said(tenant, closed) == []
    for conversation in (english, chinese):
        found = row(tenant, conversation)
        assert (found.status, found.assignee_id, found.priority) == ("closed", other.pk, "high")
    with tenant_atomic(tenant.id):
        assert [(each.body, each.user_id) for each in Note.objects.all()] == [("Refunded", agent.pk)] * 2
        assert Labelling.objects.count() == 2


def test_one_text_does_for_both_languages_when_there_is_no_other(client: Client, tenant: Tenant, agent: User) -> None:
    chinese = make_question(tenant, language="zh")[0]
    run(client, tenant, make_macro(tenant, reply_en="Hello").id, chinese)
    assert said(tenant, chinese) == ["Hello"]


def test_a_deleted_label_is_left_out_and_somebody_who_left_stops_all(
    client: Client, tenant: Tenant, agent: User
) -> None:
    label, gone = make_label(tenant), make_user(tenant)
    conversation = make_question(tenant)[0]
    macro = make_macro(tenant, f"label:{label.id}", "priority:high")
    with tenant_atomic(tenant.id):
        labels.delete_label(label.id, actor=SYSTEM)
    run(client, tenant, macro.id, conversation)
    assert row(tenant, conversation).priority == "high"
    macro = make_macro(tenant, f"assign:{gone.pk}", "priority:low", name="Give", reply_en="Hello")
    with tenant_atomic(tenant.id):
        gone.memberships.filter(tenant=tenant).delete()
    response = run(client, tenant, macro.id, conversation)
    assert (response.status_code, list(json.loads(response.headers["HX-Trigger"]))) == (422, ["refused"])
    assert (row(tenant, conversation).priority, said(tenant, conversation)) == ("high", [])


def test_odd_macros_are_refused(tenant: Tenant) -> None:
    make_macro(tenant, "resolve")
    theirs = make_label(make_tenant())
    odd: list[tuple[str, Steps, type[Exception]]] = [
        ("refund", Steps(("resolve",)), Conflict),
        ("", Steps(("resolve",)), InvalidInput),
        ("x" * 41, Steps(("resolve",)), InvalidInput),
        ("New", Steps(), InvalidInput),
        ("New", Steps(("explode",)), InvalidInput),
        ("New", Steps(("snooze:until",)), InvalidInput),
        ("New", Steps(("priority:none",)), InvalidInput),
        ("New", Steps(("label:x",)), InvalidInput),
        ("New", Steps((f"label:{theirs.id}",)), InvalidInput),
        ("New", Steps((f"macro:{uuid.uuid4()}",)), InvalidInput),
        ("New", Steps(reply_en="Hi {first name}"), InvalidInput),
        ("New", Steps(note="x" * 4001), InvalidInput),
    ]
    for name, steps, error in odd:
        with tenant_atomic(tenant.id), pytest.raises(error):
            create_macro(name=name, steps=steps, actor=SYSTEM)
    with tenant_atomic(tenant.id):
        assert len(macros()) == 1


def test_another_companys_macros_are_neither_run_nor_changed(client: Client, tenant: Tenant, agent: User) -> None:
    theirs = make_tenant()
    macro, mine = make_macro(theirs, "resolve"), make_macro(tenant, "resolve")
    conversation, their_conversation = make_question(tenant)[0], make_question(theirs)[0]
    assert run(client, tenant, macro.id, conversation).status_code == 404
    run(client, tenant, mine.id, their_conversation)
    assert [row(tenant, conversation).status, row(theirs, their_conversation).status] == ["ai", "ai"]
    with tenant_atomic(tenant.id):
        with pytest.raises(NotFound):
            change_macro(macro.id, name="Mine", steps=Steps(("resolve",)), actor=SYSTEM)
        with pytest.raises(NotFound):
            delete_macro(macro.id, actor=SYSTEM)


def test_who_may_see_run_and_change_them(client: Client, tenant: Tenant) -> None:
    macro, label = make_macro(tenant, "pending"), make_label(tenant)
    conversation = make_question(tenant)[0]
    page = reverse("desk:macros", args=[tenant.slug])
    changes = [page] + [
        reverse(f"desk:{name}", args=[tenant.slug, macro.id]) for name in ("change_macro", "delete_macro")
    ]
    new = {
        "name": "Close",
        "status": "resolve",
        "priority": "",
        "assign": "take",
        "label": [str(label.id)],
        "note": "Done",
    }
    for role, status in ((Role.AGENT, 200), (Role.VIEWER, 403)):
        client.force_login(make_user(tenant, role))
        assert client.get(page).status_code == status
        assert [client.post(url, new).status_code for url in changes] == [403] * 3
        assert run(client, tenant, macro.id, conversation).status_code == (204 if status == 200 else 403)
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert [client.post(url, new).status_code for url in changes] == [404] * 3
    client.force_login(make_user(tenant, Role.ADMIN))
    assert [client.post(page, new).status_code for _ in range(2)] == [302, 409]
    wrong = client.post(changes[1], new | {"name": "", "note": "kept as typed"})
    assert (wrong.status_code, "kept as typed" in wrong.content.decode()) == (400, True)
    assert client.post(changes[1], new | {"name": "Later", "status": "snooze:1h"}).status_code == 302
    with tenant_atomic(tenant.id):
        assert [(each.name, each.orders) for each in macros()] == [
            ("Close", [f"label:{label.id}", "take", "resolve"]),
            ("Later", [f"label:{label.id}", "take", "snooze:1h"]),
        ]
    inbox = client.get(reverse("desk:inbox", args=[tenant.slug])).content.decode()
    assert 'data-command="Macro: Later"' in inbox
    assert client.post(changes[2]).status_code == 302
    assert client.post(changes[2]).status_code == 404

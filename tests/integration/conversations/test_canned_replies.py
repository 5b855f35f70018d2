"""Canned replies: the company's own, in two languages, with placeholders that are filled for the conversation."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.inbox import canned
from conversations.inbox.placeholders import Known, check_placeholders, filled
from conversations.models import CannedReply, Conversation, Visitor
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import SYSTEM, FactKind
from helpdesk.facts.models import Fact
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def make_reply(tenant: Tenant, shortcut: str = "hello", text_en: str = "Hi!", text_zh: str = "") -> CannedReply:
    with tenant_atomic(tenant.id):
        return canned.create_canned_reply(shortcut=shortcut, text_en=text_en, text_zh=text_zh, actor=SYSTEM)


def ask(tenant: Tenant, name: str = "", language: str = "en") -> Conversation:
    conversation = make_question(tenant, language=language)[0]
    with tenant_atomic(tenant.id):
        Visitor.objects.filter(id=conversation.visitor_id).update(name=name)
    return conversation


def offered(client: Client, tenant: Tenant, conversation: Conversation, text: str = "") -> Any:
    response = client.get(reverse("desk:offered_replies", args=[tenant.slug, conversation.id]), {"q": text})
    return response.json()["offers"] if response.status_code == 200 else response.status_code


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hi {customer name}, {agent name} of {company} here.", "en", "Hi Ada, Bo of Tea here."),
        ("{客户姓名}您好，我是{公司}的{客服姓名}。", "zh", "Ada您好，我是Tea的Bo。"),
        ("{ Customer Name | friend }!", "en", "Ada!"),
        ('Send {"id": 1} to us.', "en", 'Send {"id": 1} to us.'),
    ],
)
def test_placeholders_are_filled(text: str, language: str, expected: str) -> None:
    check_placeholders(text)
    assert filled(text, Known(customer="Ada", agent="Bo", company="Tea"), language) == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hi {customer name}!", "en", "Hi there!"),
        ("{客户姓名}您好", "zh", "您好"),
        ("Dear {customer name|customer},", "en", "Dear customer,"),
    ],
)
def test_a_customer_whom_nobody_knows_is_greeted_all_the_same(text: str, language: str, expected: str) -> None:
    assert filled(text, Known(customer="", agent="Bo", company="Tea"), language) == expected


def test_what_a_customer_is_called_is_no_placeholder_itself() -> None:
    known = Known(customer="{agent name}", agent="Bo", company="Tea")
    assert filled("Hi {customer name}", known, "en") == "Hi {agent name}"


def test_odd_ones_are_refused(tenant: Tenant) -> None:
    make_reply(tenant)
    odd: list[tuple[dict[str, str], type[Exception]]] = [
        ({"shortcut": "HELLO"}, Conflict),
        ({"shortcut": ""}, InvalidInput),
        ({"shortcut": "two words"}, InvalidInput),
        ({"shortcut": "x" * 41}, InvalidInput),
        ({"text_en": " "}, InvalidInput),
        ({"text_en": "x" * 4001}, InvalidInput),
        ({"text_en": "bell\x07"}, InvalidInput),
        ({"text_en": "Hi {first name}"}, InvalidInput),
    ]
    for fields, error in odd:
        with tenant_atomic(tenant.id), pytest.raises(error):
            given = {"shortcut": "new", "text_en": "Hi", "text_zh": ""} | fields
            canned.create_canned_reply(**given, actor=SYSTEM)
    with tenant_atomic(tenant.id):
        assert CannedReply.objects.count() == 1


def test_they_are_found_by_shortcut_and_text_and_filled(client: Client, tenant: Tenant) -> None:
    make_reply(tenant, "returns", "Hi {customer name}, send it back.", "{客户姓名}您好，请寄回。")
    make_reply(tenant, "hours", "We open at nine. Returns are free.")
    make_reply(tenant, "退款", "", "退款需要三天。")
    agent = make_user(tenant)
    client.force_login(agent)
    english, chinese = ask(tenant, "Ada"), ask(tenant, "小王", "zh")
    assert offered(client, tenant, english, "ret") == [
        {"name": "/returns", "text": "Hi Ada, send it back."},
        {"name": "/hours", "text": "We open at nine. Returns are free."},
    ]
    assert offered(client, tenant, chinese, "RET")[0]["text"] == "小王您好，请寄回。"
    assert [each["name"] for each in offered(client, tenant, english, "退款")] == ["/退款"]
    assert len(offered(client, tenant, english)) == 3
    assert offered(client, tenant, english, "%") == offered(client, tenant, english, "nothing") == []
    assert len(offered(client, tenant, english, "\x00")) == 3


def test_another_companys_are_neither_offered_nor_changed(client: Client, tenant: Tenant) -> None:
    theirs = make_tenant()
    reply = make_reply(theirs, "secret", "Their text")
    make_reply(tenant, "secret", "Our text")
    with tenant_atomic(tenant.id):
        with pytest.raises(NotFound):
            canned.change_canned_reply(reply.id, shortcut="mine", text_en="x", text_zh="", actor=SYSTEM)
        with pytest.raises(NotFound):
            canned.delete_canned_reply(reply.id, actor=SYSTEM)
    client.force_login(make_user(tenant, Role.OWNER))
    assert [each["text"] for each in offered(client, tenant, ask(tenant))] == ["Our text"]
    assert offered(client, tenant, ask(theirs)) == 404
    assert "Their text" not in client.get(reverse("desk:canned_replies", args=[tenant.slug])).content.decode()
    for name in ("change_canned_reply", "delete_canned_reply"):
        assert client.post(reverse(f"desk:{name}", args=[tenant.slug, reply.id]), {"shortcut": "x"}).status_code in {
            400,
            404,
        }
    with tenant_atomic(theirs.id):
        assert CannedReply.objects.get().text_en == "Their text"


def test_who_may_see_and_who_may_change_them(client: Client, tenant: Tenant) -> None:
    reply = make_reply(tenant)
    page = reverse("desk:canned_replies", args=[tenant.slug])
    change = reverse("desk:change_canned_reply", args=[tenant.slug, reply.id])
    delete = reverse("desk:delete_canned_reply", args=[tenant.slug, reply.id])
    new = {"shortcut": "bye", "text_en": "Goodbye", "text_zh": "再见"}
    conversation = ask(tenant)
    for role, status in ((Role.AGENT, 200), (Role.REVIEWER, 200), (Role.EDITOR, 403), (Role.VIEWER, 403)):
        client.force_login(make_user(tenant, role))
        assert client.get(page).status_code == status
        assert [client.post(url, new).status_code for url in (page, change, delete)] == [403, 403, 403]
        assert (offered(client, tenant, conversation) == 403) == (status == 403)
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert [client.post(url, new).status_code for url in (page, change, delete)] == [404, 404, 404]
    client.logout()
    assert all("/login" in client.post(url, new).url for url in (page, change, delete))
    client.force_login(make_user(tenant, Role.ADMIN))
    assert [client.post(page, new).status_code for _ in range(2)] == [302, 409]
    wrong = client.post(change, {"shortcut": "a b", "text_en": "kept as typed"})
    assert (wrong.status_code, "kept as typed" in wrong.content.decode()) == (400, True)
    assert client.post(change, {"shortcut": "hi", "text_en": "Hello"}).status_code == 302
    assert [client.post(delete).status_code for _ in range(2)] == [302, 404]
    with tenant_atomic(tenant.id):
        assert [each.shortcut for each in canned.canned_replies()] == ["bye"]
        kinds = set(Fact.objects.filter(kind__startswith="canned").values_list("kind", flat=True))
    assert kinds == {
        FactKind.CANNED_REPLY_CREATED, FactKind.CANNED_REPLY_CHANGED, FactKind.CANNED_REPLY_DELETED
    }  # fmt: skip


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_a_fixed_number_of_queries_and_has_pages(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for number in range(count):
        make_reply(tenant, f"reply-{number}")
    client.force_login(make_user(tenant, Role.ADMIN))
    page = reverse("desk:canned_replies", args=[tenant.slug])
    client.get(page)
    with django_assert_num_queries(12):
        assert len(client.get(page).context["replies"]) == count
    with tenant_atomic(tenant.id):
        CannedReply.objects.bulk_create(
            CannedReply(shortcut=f"more-{number}", text_en="<b>x</b>") for number in range(60)
        )
    assert client.get(page).context["has_more"]
    assert len(client.get(page, {"page": "2", "q": "more"}).context["replies"]) == 10
    assert "<b>x</b>" not in client.get(page).content.decode()
    assert client.get(reverse("desk:change_canned_reply", args=[tenant.slug, uuid.uuid4()])).status_code == 405

"""The page “Widget”: who may, the snippet, and what is stored or refused."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import Assistant
from conversations.widget import accents
from conversations.widget.settings import WidgetSettings, change_widget
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.models import Fact
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.conftest import ROOT
from tests.factories import make_tenant, make_ticket, make_user

pytestmark = pytest.mark.django_db

VALID = {
    "sites": "https://Shop.example/\r\n\r\nhttp://192.168.1.20:8080\r\nhttps://shop.example\r\n",
    "accent": "#2F6B3C",
    "welcome_en": "Ask about plants.",
    "welcome_zh": "欢迎咨询植物问题。",
    "suggestions_en": "Where is my order?\r\n\r\nHow do I return it?",
    "suggestions_zh": "我的订单在哪里？",
    "based_on": "1",
}
STORED = (
    ["https://shop.example", "http://192.168.1.20:8080"],
    "#2f6b3c",
    {"en": "Ask about plants.", "zh": "欢迎咨询植物问题。"},
    {"en": ["Where is my order?", "How do I return it?"], "zh": ["我的订单在哪里？"]},
    2,
)


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def url(tenant: Tenant) -> str:
    return reverse("desk:widget", kwargs={"tenant_slug": tenant.slug})


def stored(tenant: Tenant) -> tuple[Any, ...]:
    tenant.refresh_from_db()
    with tenant_atomic(tenant.id):
        suggestions = Assistant.objects.get().suggestions
    return tenant.allowed_origins, tenant.accent, tenant.welcome, suggestions, tenant.widget_version


@pytest.mark.parametrize("method", ["get", "post"])
def test_anonymous_people_sign_in_and_outsiders_see_nothing(client: Client, tenant: Tenant, method: str) -> None:
    before = stored(tenant)
    anonymous = getattr(client, method)(url(tenant), VALID)
    assert (anonymous.status_code, anonymous.url.split("?")[0]) == (302, reverse("account_login"))
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert getattr(client, method)(url(tenant), VALID).status_code == 404
    assert stored(tenant) == before


@pytest.mark.parametrize("role", [Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER])
def test_other_roles_may_neither_see_nor_change_it(client: Client, tenant: Tenant, role: Role) -> None:
    before = stored(tenant)
    client.force_login(make_user(tenant, role))
    assert [client.get(url(tenant)).status_code, client.post(url(tenant), VALID).status_code] == [403, 403]
    assert stored(tenant) == before


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_a_change_is_stored_for_every_chat_and_recorded(client: Client, tenant: Tenant, role: Role) -> None:
    other = make_tenant()
    person = make_user(tenant, role)
    client.force_login(person)
    assert client.post(url(tenant), VALID).status_code == 302
    assert stored(tenant) == STORED
    assert stored(other)[:2] == ([], "")
    with tenant_atomic(tenant.id):
        fact = Fact.objects.get(kind="widget.changed")
    assert (fact.actor_id, fact.data) == (str(person.pk), {"version": 2, "settings": 4, "sites": 2})
    page = client.get(f"/widget/{tenant.slug}/frame?origin=https://shop.example").content.decode()
    assert 'data-accent="#2f6b3c"' in page
    for language, welcome in (("en", "Ask about plants."), ("zh", "欢迎咨询植物问题。")):
        answer = (
            Client()
            .post(
                f"/widget/{tenant.slug}/session?language={language}",
                HTTP_GLASSDESK_TICKET=make_ticket(tenant, "https://shop.example"),
            )
            .json()
        )
        assert (answer["welcome"], answer["suggestions"]) == (welcome, STORED[3][language])


def test_the_same_again_changes_nothing(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    for based_on in ("1", "2"):
        client.post(url(tenant), VALID | {"based_on": based_on})
    assert stored(tenant) == STORED
    assert "Nothing was changed." in client.get(url(tenant)).content.decode()


def test_what_another_person_saved_meanwhile_is_not_undone_unseen(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    client.post(url(tenant), VALID)
    mine = VALID | {"accent": "#7a1f6b"}
    late = client.post(url(tenant), mine)
    assert (late.status_code, stored(tenant)) == (409, STORED)
    based_on = re.search('name="based_on" value="([^"]+)"', late.content.decode())
    assert based_on is not None
    assert client.post(url(tenant), mine | {"based_on": based_on[1]}).status_code == 302
    assert stored(tenant)[1] == "#7a1f6b"


WRONG = {
    "a path": ("sites", "https://shop.example/path", "https://shop.example/path is not a website"),
    "no scheme": ("sites", "shop.example", "shop.example is not a website"),
    "a script": ("sites", "javascript:alert(1)", "is not a website"),
    "a policy": ("sites", "https://a.example;script-src*", "is not a website"),
    "too many sites": ("sites", "\n".join(f"https://{number}.example" for number in range(51)), "At most 50 websites"),
    "no colour": ("accent", "red", "Write the color like #0e6672."),
    "a style": ("accent", "#fff;background:url(x)", "Write the color like #0e6672."),
    "a pale colour": ("accent", "#ffe066", "its contrast with a white page is 1.3 to 1"),
    "a long welcome": ("welcome_en", "x" * 301, "At most 300 characters fit here."),
    "controls": ("welcome_zh", "a\x07b", "control characters"),
    "seven suggestions": ("suggestions_en", "\n".join("abcdefg"), "At most 6 suggestions fit here."),
    "a long suggestion": ("suggestions_zh", "问" * 81, "At most 80 characters fit here."),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused_with_a_sentence_and_comes_back(client: Client, tenant: Tenant, name: str) -> None:
    field, value, sentence = WRONG[name]
    before = stored(tenant)
    client.force_login(make_user(tenant, Role.OWNER))
    response = client.post(url(tenant), VALID | {field: value})
    page = html.unescape(response.content.decode())
    assert (response.status_code, stored(tenant)) == (400, before)
    assert sentence in page
    assert "Not saved." in page


def test_a_shade_that_works_is_offered(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    page = client.post(url(tenant), VALID | {"accent": "#ffe066"}).content.decode()
    shade = re.search(r"(#[0-9a-f]{6}) is the nearest shade that works", page)
    assert shade is not None
    assert client.post(url(tenant), VALID | {"accent": shade[1]}).status_code == 302


def test_the_snippet_names_the_company_and_the_file_exactly(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    client.post(url(tenant), VALID)
    page = html.unescape(client.get(url(tenant)).content.decode())
    plain, pinned = re.findall(r"(<script src=\"http.*?</script>)", page)
    about = f'data-tenant="{tenant.slug}" data-accent="#2f6b3c" data-contact="{tenant.contact_email}"'
    address = 'src="http://testserver/static/widget/loader.js"'
    digest = hashlib.sha384((ROOT / "static/widget/loader.js").read_bytes()).digest()
    integrity = f'integrity="sha384-{base64.b64encode(digest).decode()}" crossorigin="anonymous"'
    assert plain == f"<script {address} {about} async></script>"
    assert pinned == f"<script {address} {about} {integrity} async></script>"


def test_the_function_behind_the_page_checks_for_itself(tenant: Tenant) -> None:
    fine: dict[str, Any] = {"sites": (), "accent": "", "welcome": {}, "suggestions": {}}
    for wrong in (
        {"sites": ("https://shop.example/",)},
        {"accent": "#FFFFFF"},
        {"welcome": {"fr": "Bonjour"}},
        {"suggestions": {"en": ["x"] * 7}},
    ):
        with pytest.raises(InvalidInput):
            WidgetSettings(**fine | wrong)
    with pytest.raises(Conflict):
        change_widget(tenant_id=tenant.id, based_on=7, settings=WidgetSettings(**fine))


@pytest.mark.parametrize(("colour", "ratio"), [("#ffffff", 1.0), ("#000000", 21.0), ("#767676", 4.54)])
def test_contrast_is_that_of_wcag(colour: str, ratio: float) -> None:
    parsed = accents.parse(colour)
    assert parsed is not None
    assert round(accents.contrast(parsed, accents.WHITE), 2) == ratio


def test_every_nearest_shade_is_seen() -> None:
    for red in range(0, 256, 51):
        for green in range(0, 256, 51):
            for blue in range(0, 256, 51):
                shade = accents.parse(accents.nearest_seen((red, green, blue)))
                assert shade is not None
                assert accents.is_seen(shade)

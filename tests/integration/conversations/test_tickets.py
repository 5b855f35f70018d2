"""Which websites may show a company's chat: the frame, its ticket, and what session and socket make of it."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.core import signing
from django.test import Client

from conversations.identity.tickets import check_ticket
from conversations.models import Visitor
from conversations.sockets import widget
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.tenants.sites import admitted_origin
from tests.factories import make_tenant, make_ticket
from tests.integration.conversations.test_sockets import OURS, code_of, errors_of, off_loop, opened, token_of

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = "https://shop.example"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant(
        "northport", name="Northport", name_zh="北港", allowed_origins=[SHOP, "http://192.168.1.20:8080"]
    )


def frame(origin: str, slug: str = "northport", **query: str) -> Any:
    return Client().get(f"/widget/{slug}/frame", {"origin": origin, **query})


def ancestors(response: Any) -> list[str]:
    policy = dict(each.strip().split(" ", 1) for each in response["Content-Security-Policy"].split(";"))
    return str(policy["frame-ancestors"]).split()


@pytest.mark.parametrize("origin", [SHOP, "HTTPS://Shop.Example", f"{SHOP}:443", "http://192.168.1.20:8080"])
def test_a_named_website_gets_the_chat_and_only_named_ones_may_show_it(tenant: Tenant, origin: str) -> None:
    response = frame(origin)
    assert (response.status_code, response.has_header("X-Frame-Options")) == (200, False)
    assert ancestors(response) == ["'self'", SHOP, "http://192.168.1.20:8080"]
    assert "data-ticket=" in response.content.decode()


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "https://a.shop.example",
        "http://192.168.1.20",
        "null",
        "https://shop.example/path",
        "https://user@shop.example",
        "https://shop.example'; script-src *",
    ],
)
def test_any_other_website_gets_a_sentence_for_its_owner_and_no_ticket(tenant: Tenant, origin: str) -> None:
    response = frame(origin)
    page = html.unescape(response.content.decode())
    assert (response.status_code, ancestors(response), response.has_header("X-Frame-Options")) == (403, ["*"], False)
    assert "Northport chooses which websites show its chat" in page
    assert "Allowed sites" in page
    assert "data-ticket" not in page
    assert "script-src *" not in page
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_the_sentence_names_the_line_to_add_and_speaks_chinese(tenant: Tenant) -> None:
    page = frame("https://Evil.example", language="zh").content.decode()
    assert ">https://evil.example</code>" in page
    assert "北港" in page
    assert "允许的网站" in page


def test_a_company_that_is_not_there_is_said_so_on_any_page() -> None:
    response = frame(SHOP, "nobody-here")
    assert (response.status_code, ancestors(response)) == (404, ["*"])
    assert "no such company" in response.content.decode()


def test_the_desk_s_own_pages_always_show_it(tenant: Tenant) -> None:
    assert frame("http://testserver").status_code == 200
    assert admitted_origin(tenant, "https://desk.example", host="desk.example") == ""


def session(tenant: Tenant, ticket: str | None) -> Any:
    headers = {} if ticket is None else {"HTTP_GLASSDESK_TICKET": ticket}
    return Client().post(f"/widget/{tenant.slug}/session?language=en", **headers)


def visitors(tenant: Tenant) -> int:
    with tenant_atomic(tenant.id):
        return int(Visitor.objects.count())


def aged(ticket: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> str:
    """Time passes for everything that is signed."""
    real = signing.time.time  # type: ignore[attr-defined]
    monkeypatch.setattr(signing.time, "time", lambda: real() + seconds)  # type: ignore[attr-defined]
    return ticket


def test_a_session_brings_a_new_ticket(tenant: Tenant) -> None:
    answer = session(tenant, make_ticket(tenant, SHOP)).json()
    assert answer["ticket_expires_in"] == 600
    assert check_ticket(answer["ticket"], tenant=tenant, within=widget.SOCKET_WITHIN) == SHOP


@pytest.mark.parametrize("ticket", [None, "", "x", "e30~x~y"])
def test_without_a_ticket_no_visitor_is_made(tenant: Tenant, ticket: str | None) -> None:
    answer = session(tenant, ticket)
    assert (answer.status_code, answer.json()["error"]["code"], visitors(tenant)) == (428, "ticket_expired", 0)


def test_another_company_s_ticket_opens_nothing(tenant: Tenant) -> None:
    other = make_tenant(allowed_origins=[SHOP])
    answer = session(tenant, make_ticket(other, SHOP))
    assert (answer.status_code, answer.json()["error"]["code"], visitors(tenant)) == (403, "website_refused", 0)


def test_a_website_that_is_taken_off_the_list_gets_no_further_session(tenant: Tenant) -> None:
    ticket = make_ticket(tenant, SHOP)
    assert session(tenant, ticket).status_code == 200
    tenant.allowed_origins = []
    tenant.save()
    assert session(tenant, ticket).status_code == 403


def test_an_old_ticket_is_renewed_for_a_day(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = aged(make_ticket(tenant, SHOP), 86_000, monkeypatch)
    assert session(tenant, ticket).status_code == 200
    assert session(tenant, aged(ticket, 500, monkeypatch)).status_code == 428


async def code_for(tenant: Tenant, ticket: str | None) -> int:
    """The close code of a socket with this ticket."""
    token = await off_loop(token_of)(tenant)
    offered = [OURS, f"visitor.{token}", *([] if ticket is None else [f"origin.{ticket}"])]
    socket, _ = await opened(f"/ws/widget/{tenant.slug}/", offered)
    try:
        return await code_of(socket)
    finally:
        await socket.disconnect(timeout=10)


async def test_a_socket_needs_a_ticket_of_these_minutes_for_this_company() -> None:
    tenant = await off_loop(make_tenant)(allowed_origins=[SHOP])
    other = await off_loop(make_tenant)(allowed_origins=[SHOP])
    assert await code_for(tenant, None) == 4428
    assert await code_for(tenant, "x") == 4428
    assert await code_for(tenant, make_ticket(other, SHOP)) == 4403
    assert await code_for(tenant, make_ticket(tenant, "https://evil.example")) == 4403
    token = await off_loop(token_of)(tenant)
    offered = [OURS, f"visitor.{token}", f"origin.{make_ticket(tenant, SHOP)}"]
    socket, agreed = await opened(f"/ws/widget/{tenant.slug}/", offered)
    assert agreed == OURS
    assert [each["type"] for each in await errors_of(socket)] == ["ready"]
    await socket.disconnect(timeout=10)


async def test_a_socket_s_ticket_gets_old(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = await off_loop(make_tenant)(allowed_origins=[SHOP])
    ticket = aged(make_ticket(tenant, SHOP), 601, monkeypatch)
    assert await code_for(tenant, ticket) == 4428

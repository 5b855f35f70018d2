"""An agent's open socket ends with the session, the account or the membership that let it in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connections
from django.test import Client

from conversations.sockets import ending
from helpdesk.asgi import application
from helpdesk.permissions import Role
from helpdesk.streams.entries import access_stream
from helpdesk.streams.hub import hub
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership, User
from helpdesk.users.people import change_role, remove_member
from tests.factories import PASSWORD, make_tenant, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def off_loop(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run in a thread that gives its connection back to the pool."""

    def run(*args: Any) -> Any:
        try:
            return function(*args)
        finally:
            connections.close_all()

    return sync_to_async(run, thread_sensitive=False)


def sign_out(client: Client, user: User, tenant: Tenant) -> None:
    client.post("/accounts/logout/")


def choose_a_new_password(client: Client, user: User, tenant: Tenant) -> None:
    user.set_password("another-long-password-7")
    user.save()


def switch_off(client: Client, user: User, tenant: Tenant) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def remove(client: Client, user: User, tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        Membership.objects.get(user=user).delete()


def nothing(client: Client, user: User, tenant: Tenant) -> None:
    pass


def signed_in() -> tuple[Client, User, Tenant]:
    client, tenant = Client(), make_tenant()
    user = make_user(tenant)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client, user, tenant


async def open_socket(client: Client, tenant: Tenant) -> WebsocketCommunicator:
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost"), (b"cookie", cookie.encode())]
    socket = WebsocketCommunicator(application, f"/ws/desk/{tenant.slug}/", headers=headers)
    connected, _subprotocol = await socket.connect(timeout=10)
    assert connected
    return socket


@pytest.mark.parametrize(
    ("act", "code"), [(sign_out, 4401), (choose_a_new_password, 4401), (switch_off, 4401), (remove, 4404)]
)
async def test_an_open_socket_is_closed(monkeypatch: pytest.MonkeyPatch, act: Callable[..., None], code: int) -> None:
    monkeypatch.setattr(ending, "LOOK_AGAIN_SECONDS", 0.05)
    client, user, tenant = await off_loop(signed_in)()
    socket = await open_socket(client, tenant)
    await off_loop(act)(client, user, tenant)
    assert await socket.receive_output(timeout=10) == {"type": "websocket.close", "code": code}
    await socket.wait(timeout=10)


def end_the_session(client: Client, user: User, tenant: Tenant) -> None:
    elsewhere = Client()
    elsewhere.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    elsewhere.post("/accounts/sessions/others/end/")


def make_a_viewer(client: Client, user: User, tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        membership = Membership.objects.get(user=user)
    change_role(tenant, membership_id=membership.id, role=Role.VIEWER)


def take_out(client: Client, user: User, tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        membership = Membership.objects.get(user=user)
    remove_member(tenant, membership_id=membership.id)


async def until_followed(socket: WebsocketCommunicator, user: User) -> None:
    """Until the socket has been let in and would be told of a change."""
    is_followed = False
    while not is_followed:
        is_followed = access_stream(user.pk) in hub().streams()
        await socket.send_json_to({"type": "ping"})
        assert await socket.receive_json_from(timeout=10) == {"type": "pong"}


@pytest.mark.parametrize(("act", "code"), [(end_the_session, 4401), (make_a_viewer, 4409), (take_out, 4404)])
async def test_what_changes_access_closes_an_open_socket_at_once(act: Callable[..., None], code: int) -> None:
    """Long before it would look again by itself."""
    assert ending.LOOK_AGAIN_SECONDS == 30
    client, user, tenant = await off_loop(signed_in)()
    socket = await open_socket(client, tenant)
    await until_followed(socket, user)
    await off_loop(act)(client, user, tenant)
    assert await socket.receive_output(timeout=10) == {"type": "websocket.close", "code": code}
    await socket.wait(timeout=10)


async def test_what_becomes_of_others_leaves_a_socket_open() -> None:
    client, user, tenant = await off_loop(signed_in)()
    other = await off_loop(make_user)(tenant)
    socket = await open_socket(client, tenant)
    await until_followed(socket, user)
    await off_loop(take_out)(client, other, tenant)
    await socket.send_json_to({"type": "ping"})
    assert await socket.receive_json_from(timeout=10) == {"type": "pong"}
    await socket.disconnect(timeout=10)


async def test_a_session_that_stands_keeps_its_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "LOOK_AGAIN_SECONDS", 0.01)
    looks: list[str] = []
    check = ending._check

    def counted(*args: Any) -> str:
        role = check(*args)
        looks.append("")
        return role

    monkeypatch.setattr(ending, "_check", counted)
    client, _user, tenant = await off_loop(signed_in)()
    socket = await open_socket(client, tenant)
    while len(looks) < 3:
        await socket.send_json_to({"type": "ping"})
        assert await socket.receive_json_from(timeout=10) == {"type": "pong"}
    await socket.disconnect(timeout=10)

"""Websockets of customers and agents: who gets in, what those receive who do not, and what no frame can do."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connections
from django.test import Client

from conversations.domain import begin_visit
from conversations.identity.visitors import VisitorIdentity, issue_token
from conversations.models import Staffing
from conversations.sockets import desk, widget
from conversations.sockets.consumer import FrameConsumer
from conversations.sockets.frames import cursor_of, parse_frame
from helpdesk.asgi import application
from helpdesk.errors import InvalidInput
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_ticket, make_user

ORIGIN = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
OURS = "glassdesk.v1"

pytestmark = pytest.mark.django_db(transaction=True)


def off_loop(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run in a thread that gives its connection back to the pool."""

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return sync_to_async(run, thread_sensitive=False)


def token_of(tenant: Tenant, visitor: uuid.UUID | None = None) -> str:
    return issue_token(VisitorIdentity(tenant.id, visitor or begin_visit(tenant.id)))


def cookie_of(tenant: Tenant, role: Role) -> list[tuple[bytes, bytes]]:
    client = Client()
    client.force_login(make_user(tenant, role))
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    return [(b"cookie", cookie.encode())]


async def opened(
    path: str, subprotocols: list[str] | None = None, headers: list[tuple[bytes, bytes]] | None = None
) -> tuple[WebsocketCommunicator, str | None]:
    """An accepted socket, and the subprotocol that was agreed on."""
    socket = WebsocketCommunicator(application, path, headers=[*ORIGIN, *(headers or [])], subprotocols=subprotocols)
    connected, agreed = await socket.connect(timeout=10)
    assert connected
    return socket, agreed


async def code_of(socket: WebsocketCommunicator) -> int:
    """The code that it is closed with, whatever was said before."""
    while True:
        output = await socket.receive_output(timeout=10)
        if output["type"] == "websocket.close":
            return int(output["code"])


@asynccontextmanager
async def ready(tenant: Tenant, kind: str) -> AsyncIterator[WebsocketCommunicator]:
    """A customer's or an agent's socket that is served."""
    if kind == "widget":
        token = await off_loop(token_of)(tenant)
        socket, agreed = await opened(
            f"/ws/widget/{tenant.slug}/", [OURS, f"visitor.{token}", f"origin.{make_ticket(tenant)}"]
        )
        assert agreed == OURS
        assert json.loads(await socket.receive_from(timeout=10))["type"] == "ready"
    else:
        socket, _ = await opened(f"/ws/desk/{tenant.slug}/", headers=await off_loop(cookie_of)(tenant, Role.AGENT))
    yield socket
    await socket.disconnect(timeout=10)
    assert not FrameConsumer.slots


async def deliver(socket: WebsocketCommunicator, frame: str | bytes) -> None:
    """As the server hands frames over, empty ones too."""
    await socket.send_input({"type": "websocket.receive", "bytes" if isinstance(frame, bytes) else "text": frame})


async def errors_of(socket: WebsocketCommunicator, *sent: str | bytes) -> list[dict[str, Any]]:
    """What comes back for frames, up to a pong for the ping behind them."""
    for frame in sent:
        await deliver(socket, frame)
    await socket.send_to(text_data='{"type": "ping"}')
    found = []
    while True:
        frame = json.loads(await socket.receive_from(timeout=10))
        if frame["type"] == "pong":
            return found
        found.append(frame)


@pytest.mark.parametrize(
    "offered", [None, [], ["chat"], [OURS], ["visitor.x"], [OURS, "visitor."], [OURS, "visitor.é€"]]
)
async def test_without_its_subprotocols_a_customer_s_socket_is_closed_as_not_signed_in(
    offered: list[str] | None,
) -> None:
    tenant = await off_loop(make_tenant)()
    socket, agreed = await opened(f"/ws/widget/{tenant.slug}/", offered)
    assert await code_of(socket) == 4401
    assert agreed == (OURS if offered and OURS in offered else None)


async def test_a_token_counts_only_with_the_version_and_for_its_own_company() -> None:
    one, other = await off_loop(make_tenant)(), await off_loop(make_tenant)()
    token = await off_loop(token_of)(one)
    for slug, offered in [(one.slug, [f"visitor.{token}"]), (other.slug, [OURS, f"visitor.{token}"])]:
        socket, _ = await opened(f"/ws/widget/{slug}/", offered)
        assert await code_of(socket) == 4401


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/ws/",
        "/ws/widget/",
        "/ws/widget/a/b/",
        "/ws/widget/%ED%A0%80/",
        "/ws/desk/x/not-a-uuid/",
        "/ws/wídget/x/",
        "/metrics",
        "/ws/widget/x",
        "/ws/widget/nobody-here/",
        "//",
    ],
)
async def test_a_path_that_is_nobody_s_is_closed_as_not_found(path: str) -> None:
    for offered in (None, [OURS, "visitor.x"]):
        socket, agreed = await opened(path, offered)
        assert await code_of(socket) == 4404
        assert agreed == (OURS if offered else None)


async def test_another_origin_is_told_so_in_the_subprotocol_that_its_browser_wants() -> None:
    foreign = [(b"origin", b"https://evil.example"), (b"host", b"localhost")]
    socket = WebsocketCommunicator(application, "/ws/widget/x/", headers=foreign, subprotocols=[OURS, "visitor.x"])
    assert await socket.connect(timeout=10) == (True, OURS)
    assert await code_of(socket) == 4403


@pytest.mark.parametrize(("who", "code"), [("nobody", 4401), ("outsider", 4404), ("agent", None)])
async def test_who_may_open_the_desk_s_socket(who: str, code: int | None) -> None:
    tenant, other = await off_loop(make_tenant)(), await off_loop(make_tenant)()
    headers = {
        "nobody": [],
        "outsider": await off_loop(cookie_of)(other, Role.OWNER),
        "agent": await off_loop(cookie_of)(tenant, Role.AGENT),
    }[who]
    socket, _ = await opened(f"/ws/desk/{tenant.slug}/", headers=headers)
    if code is None:
        assert await errors_of(socket) == []
        await socket.disconnect(timeout=10)
    else:
        assert await code_of(socket) == code


DEEP = "[" * 30_000
MALFORMED: dict[str, str | bytes] = {
    "bytes": b'{"type": "ping"}',
    "no bytes": b"",
    "nothing": "",
    "no JSON": "ping",
    "half": '{"type": "ping"',
    "two": '{"type": "ping"}{"type": "ping"}',
    "an array": '["ping"]',
    "a text": '"ping"',
    "a number": "1",
    "null": "null",
    "no type": '{"kind": "ping"}',
    "a type that is no text": '{"type": ["ping"]}',
    "an unknown type": '{"type": "shout"}',
    "a type of surrogates": '{"type": "\\ud800"}',
    "NaN": '{"type": "ping", "n": NaN}',
    "Infinity": '{"type": "ping", "n": -Infinity}',
    "a huge number": '{"type": "ping", "n": ' + "9" * 5000 + "}",
    "deep nesting": f'{{"type": "ping", "n": {DEEP}',
    "closed deep nesting": f'{{"type": "ping", "n": {DEEP}{"]" * 30_000}}}',
    "the same name twice": '{"type": "ping", "type": "message"}',
    "twice inside": '{"type": "ping", "n": {"a": 1, "a": 2}}',
    "too large": json.dumps({"type": "ping", "n": "x" * 65_536}),
    "too large in bytes": json.dumps({"type": "ping", "n": "水" * 22_000}, ensure_ascii=False),
}


@pytest.mark.parametrize("kind", ["widget", "desk"])
async def test_three_frames_that_mean_nothing_close_the_socket_and_none_is_sent_back(kind: str) -> None:
    tenant = await off_loop(make_tenant)()
    for frame in MALFORMED.values():
        async with ready(tenant, kind) as socket:
            # A good one between two bad ones begins the count anew.
            for _ in range(2):
                (error,) = await errors_of(socket, frame)
                assert (error["type"], error["error"]["code"], error["client_id"]) == ("error", "invalid", None)
                assert len(json.dumps(error)) < 300
            for _ in range(3):
                await deliver(socket, frame)
            assert await code_of(socket) == 4400


UNUSABLE_IDS = {
    "a lone surrogate": '"\\ud800"',
    "a surrogate in place": '"\\udfff0000000-0000-4000-8000-000000000000"',
    "60 kB": json.dumps("x" * 60_000),
    "an array": '["a"]',
    "an object": '{"a": 1}',
    "a number": "7",
    "null": "null",
    "true": "true",
    "nothing": '""',
    "no hyphens": '"00000000000040008000000000000000"',
    "braces": '"{00000000-0000-4000-8000-000000000000}"',
    "a URN": '"urn:uuid:00000000-0000-4000-8000-000000000000"',
    "other digits": json.dumps("٠" * 8 + "-0000-4000-8000-000000000000"),
    "a newline behind": '"00000000-0000-4000-8000-000000000000\\n"',
}


async def test_a_client_id_that_is_none_is_never_sent_back() -> None:
    tenant = await off_loop(make_tenant)()
    async with ready(tenant, "widget") as socket:
        for value in UNUSABLE_IDS.values():
            for frame in ("message", "stop", "shout"):
                name = "reply" if frame == "stop" else "client_id"
                (error,) = await errors_of(socket, f'{{"type": "{frame}", "{name}": {value}, "body": "Hello"}}')
                assert (error["error"]["code"], error["client_id"]) in {("invalid", None), ("not_found", None)}
                assert len(json.dumps(error)) < 300


async def test_a_text_that_cannot_be_taken_is_refused_under_its_own_id_and_the_socket_stays() -> None:
    tenant = await off_loop(make_tenant)()
    client_id = str(uuid.uuid4())
    bodies = [
        '"\\ud800"',
        '""',
        "7",
        "null",
        '["a"]',
        '{"a": "b"}',
        '"\\u0000"',
        json.dumps("x" * 4001),
        json.dumps(" "),
    ]
    async with ready(tenant, "widget") as socket:
        for body in bodies:
            (error,) = await errors_of(
                socket, f'{{"type": "message", "client_id": "{client_id.upper()}", "body": {body}}}'
            )
            assert error["client_id"] == client_id
            assert error["error"]["code"] in {"invalid", "message_too_long"}


@pytest.mark.parametrize(("kind", "most"), [("widget", widget.SOCKETS_PER_VISITOR), ("desk", desk.SOCKETS_PER_PERSON)])
async def test_of_many_sockets_of_one_person_only_some_stay_and_each_gives_its_place_back(kind: str, most: int) -> None:
    tenant = await off_loop(make_tenant)()
    token, cookie = await off_loop(token_of)(tenant), await off_loop(cookie_of)(tenant, Role.AGENT)
    sockets = []
    for number in range(most + 5):
        if kind == "widget":
            offered = [OURS, f"visitor.{token}", f"origin.{make_ticket(tenant)}"]
            socket, _ = await opened(f"/ws/widget/{tenant.slug}/", offered)
        else:
            socket, _ = await opened(f"/ws/desk/{tenant.slug}/", headers=cookie)
        if number < most:
            await errors_of(socket)
            sockets.append(socket)
        else:
            assert await code_of(socket) == 4429
    assert list(FrameConsumer.slots.values()) == [most]
    for socket in sockets:
        await socket.disconnect(timeout=10)
    assert not FrameConsumer.slots


@pytest.mark.parametrize(
    ("raw", "cursor"),
    [
        ("1700000000000-0", "1700000000000-0"),
        ("0-0", "0-0"),
        ("", None),
        ("5", None),
        ("-1-0", None),
        ("1-0-0", None),
        ("１-1", None),
        ("9223372036854775807-9223372036854775807", "9223372036854775807-9223372036854775807"),
        ("18446744073709551616-0", None),
        ("9" * 5000 + "-0", None),
        ("1-0\n", None),
        ("+1-0", None),
    ],
)
def test_only_what_redis_would_take_is_a_cursor(raw: str, cursor: str | None) -> None:
    assert cursor_of(raw) == cursor


def test_a_frame_is_read_as_it_stands() -> None:
    assert parse_frame('{"type": "ping", "n": [1, 2.5, null, true, {"a": "b"}]}', None)["n"] == [
        1,
        2.5,
        None,
        True,
        {"a": "b"},
    ]
    with pytest.raises(InvalidInput):
        parse_frame(None, None)


def staffed(tenant: Tenant) -> list[bool]:
    with tenant_atomic(tenant.id):
        return [each.is_present for each in Staffing.objects.all()]


async def test_an_open_desk_is_the_presence_of_who_may_reply() -> None:
    tenant = await off_loop(make_tenant)()
    async with ready(tenant, "desk") as socket:
        while not (found := await off_loop(staffed)(tenant)):
            assert await errors_of(socket) == []
        assert found == [True]


async def test_who_may_only_read_is_nobody_to_give_customers_to() -> None:
    tenant = await off_loop(make_tenant)()
    socket, _ = await opened(f"/ws/desk/{tenant.slug}/", headers=await off_loop(cookie_of)(tenant, Role.VIEWER))
    assert await errors_of(socket) == []
    assert await off_loop(staffed)(tenant) == []
    await socket.disconnect(timeout=10)

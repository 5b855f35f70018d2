"""The web process as it is deployed, against clients that do not read, send too much, or speak something else."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import socket
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from conversations.domain import begin_visit
from conversations.identity.visitors import VisitorIdentity, issue_token
from helpdesk.tenants.models import Tenant
from helpdesk.web import socket_bounds
from tests.conftest import ROOT
from tests.factories import make_tenant, make_ticket
from tests.integration.inference_worker.conftest import wait_for
from tests.running_stack import free_port

pytestmark = pytest.mark.django_db(transaction=True)
OURS = "glassdesk.v1"
MEGABYTE = 1024 * 1024
TEXT, BYTES = 1, 2


class Web:
    """A running Daphne and what it logged."""

    def __init__(self, log: Path) -> None:
        self.port, self.log = free_port(), log
        command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(self.port), "helpdesk.asgi:application"]
        with log.open("w") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), stdout=output, stderr=output)

    @property
    def memory(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def accepts(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The web process; nothing that a client does may put a traceback into its log."""
    web = Web(tmp_path_factory.mktemp("web") / "log")
    wait_for(web.accepts)
    yield web
    web.process.terminate()
    web.process.wait(30)
    assert not re.search("Traceback|error", web.log.read_text())


class Shop:
    """A company with one visitor."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.tenant: Tenant = make_tenant()
        self.visitor = begin_visit(self.tenant.id)
        self.token = issue_token(VisitorIdentity(self.tenant.id, self.visitor))
        self.offered = [OURS, f"visitor.{self.token}", f"origin.{make_ticket(self.tenant)}"]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ClientConnection]:
        """The visitor's socket, ready."""
        async with connect(
            f"ws://localhost:{self.web.port}/ws/widget/{self.tenant.slug}/",
            origin=Origin(f"http://localhost:{self.web.port}"),
            subprotocols=[Subprotocol(each) for each in self.offered],
            max_size=None,
            ping_interval=None,
        ) as client:
            assert json.loads(await client.recv())["type"] == "ready"
            yield client

    async def raw(
        self, path: str = "", subprotocols: bytes | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The visitor's connection without a client of any manners: it reads only what the test reads."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.web.port, limit=65_536)
        offered = ", ".join(self.offered).encode() if subprotocols is None else subprotocols
        head = [
            f"GET {path or f'/ws/widget/{self.tenant.slug}/'} HTTP/1.1".encode(),
            f"Host: localhost:{self.web.port}".encode(),
            f"Origin: http://localhost:{self.web.port}".encode(),
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)),
        ]
        if offered:
            head.append(b"Sec-WebSocket-Protocol: " + offered)
        writer.write(b"\r\n".join(head) + b"\r\n\r\n")
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        return reader, writer


@pytest.fixture
def shop(web: Web) -> Shop:
    return Shop(web)


@pytest.fixture
def neighbour(web: Web) -> Shop:
    """Another company's visitor."""
    return Shop(web)


def masked(payload: bytes, opcode: int = TEXT) -> bytes:
    """A client's frame (RFC 6455, 5.2); the mask is zero, so that the payload stands as it is."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65_536:
        length = b"\xfe" + struct.pack("!H", size)
    else:
        length = b"\xff" + struct.pack("!Q", size)
    return bytes([0x80 | opcode]) + length + b"\0\0\0\0" + payload


async def next_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Opcode and payload of a server's frame."""
    opcode, size = await reader.readexactly(2)
    if size > 125:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8))
    return opcode & 0xF, await reader.readexactly(size)


async def closing_code(reader: asyncio.StreamReader) -> int:
    """The code of the close frame behind everything else that the server sends."""
    async with asyncio.timeout(30):
        opcode, payload = await next_frame(reader)
        while opcode != 8:
            opcode, payload = await next_frame(reader)
    return int.from_bytes(payload[:2])


async def code_of(client: ClientConnection) -> int | None:
    """The code that a socket is closed with, whatever comes before."""
    async with asyncio.timeout(30):
        try:
            while True:
                await client.recv()
        except ConnectionClosed:
            return client.close_code


@pytest.mark.parametrize(
    ("offered", "code"),
    [
        (b"", 4401),
        (b"chat", 4401),
        (b"glassdesk.v1", 4401),
        (b"glassdesk.v1, visitor.%ED%A0%80", 4401),
        (b"visitor.x", 4401),
    ],
)
async def test_whatever_subprotocols_are_offered_the_code_arrives(shop: Shop, offered: bytes, code: int) -> None:
    reader, writer = await shop.raw(subprotocols=offered)
    assert await closing_code(reader) == code
    writer.close()


@pytest.mark.parametrize("path", ["/ws/", "/ws/widget/", "/ws/x", "/ws/widget/%FF/", "/ws/desk/a/b/c/", "/%00"])
async def test_an_unknown_path_is_closed_as_not_found(shop: Shop, path: str) -> None:
    reader, writer = await shop.raw(path)
    assert await closing_code(reader) == 4404
    writer.close()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (masked(b"x" * (socket_bounds.FRAME_BYTES + 1)), 1009),
        (masked(b"x" * socket_bounds.FRAME_BYTES, BYTES) * 3, 4400),
        (b"\x81\xff" + struct.pack("!Q", 2**62) + b"\0\0\0\0", 1009),
        (masked(b"\xff\xfe"), 1007),
        (masked(b'{"type": "\xed\xa0\x80"}'), 1007),
        (masked(b"\xc3"), 1007),
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\x81\x05hello", 1002),
        (masked(b'{"type": "message", "client_id": "\\ud800"}') * 3, 4400),
        (masked(b"") * 3, 4400),
        (masked(b"\0", BYTES) * 3, 4400),
    ],
    ids=[
        "large",
        "large bytes",
        "endless",
        "no UTF-8",
        "a surrogate",
        "half a sign",
        "opcode 3",
        "unmasked",
        "client_id",
        "empty",
        "bytes",
    ],
)
async def test_frames_that_cannot_be_read_close_the_socket_with_their_code(shop: Shop, frame: bytes, code: int) -> None:
    reader, writer = await shop.raw()
    assert (await next_frame(reader))[0] == TEXT
    writer.write(frame)
    assert await closing_code(reader) == code
    writer.close()


async def test_a_client_that_sends_without_end_is_closed_and_another_is_served(shop: Shop) -> None:
    async with shop.open() as greedy, shop.open() as other:
        for _ in range(socket_bounds.FRAMES_IN_WINDOW + 50):
            await greedy.send('{"type": "ping"}')
        assert await code_of(greedy) == 4429
        await other.send('{"type": "ping"}')
        assert json.loads(await other.recv()) == {"type": "pong"}


@pytest.mark.parametrize("share", [0.5, 1.5])
def test_what_waits_for_a_client_that_does_not_read_is_bounded(share: float) -> None:
    """From outside, the kernel's buffers hide how much waits here."""
    frame = "x" * 10_000
    protocol, transport = socket_bounds.BoundedProtocol(), Mock()
    protocol.transport, protocol.state, protocol.client_addr = transport, protocol.STATE_OPEN, None
    sent, closed = [], []
    protocol.sendMessage = lambda content, binary: sent.append(len(content))
    protocol.sendClose = lambda code: (closed.append(code), setattr(protocol, "state", protocol.STATE_CLOSING))
    outlet = socket_bounds.Outlet(protocol)
    protocol.serverSend("a snapshot" * 500_000)
    outlet.pauseProducing()
    for _ in range(int(socket_bounds.HELD_BYTES * share) // len(frame)):
        protocol.serverSend(frame)
    assert sum(sent[1:]) <= socket_bounds.HELD_BYTES
    assert closed == ([] if share < 1 else [4408])
    assert [call[0] for call in transport.method_calls] == ["pauseProducing"]
    outlet.resumeProducing()
    assert (protocol.is_full, transport.method_calls[-1][0]) == (False, "resumeProducing")


async def test_clients_that_never_read_make_the_process_hold_little(shop: Shop, neighbour: Shop) -> None:
    frame = masked(json.dumps({"type": "message", "client_id": "x" * 60_000, "body": "y"}).encode())
    before = shop.web.memory
    writers = []
    for _ in range(8):
        reader, writer = await shop.raw()
        assert (await next_frame(reader))[0] == TEXT
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writers.append(writer)
    sent = 0
    for _ in range(400):
        for writer in writers:
            if not writer.is_closing() and writer.transport.get_write_buffer_size() < MEGABYTE:
                writer.write(frame)
                sent += len(frame)
        await asyncio.sleep(0)
    assert sent > 4 * MEGABYTE
    async with neighbour.open() as other:
        await other.send('{"type": "ping"}')
        assert json.loads(await other.recv()) == {"type": "pong"}
    assert shop.web.memory - before < 24 * MEGABYTE
    for writer in writers:
        writer.transport.abort()


async def test_a_thousand_sockets_of_one_visitor_leave_eight(shop: Shop) -> None:
    async def try_one() -> tuple[asyncio.StreamWriter, int]:
        reader, writer = await shop.raw()
        opcode, payload = await next_frame(reader)
        return writer, 0 if opcode == TEXT else int.from_bytes(payload[:2])

    found = []
    for _ in range(50):
        found += await asyncio.gather(*(try_one() for _ in range(20)))
    codes = [code for _, code in found]
    assert Counter(codes) == {0: 8, 4429: 992}
    for writer, _ in found:
        writer.close()
    # The places are free again as soon as the closed connections have been noticed.
    async with asyncio.timeout(20):
        while True:
            writer, code = await try_one()
            writer.close()
            if code == 0:
                return
            await asyncio.sleep(0.1)

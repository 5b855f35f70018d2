"""A customer with the widget open: a session, a socket, and connecting again from the last entry (connection.js)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin, Subprotocol

from tests.integration.embedded.faults.transcript import Transcript

BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
JITTER = 0.25
OPEN_WITHIN_SECONDS = 10
PING_EVERY_SECONDS = 25
PONG_WITHIN_SECONDS = 10
RETRY_SECONDS = 3.0


class Customer:
    """Stays connected by itself until `leave`; what it shows is in `page`."""

    def __init__(self, base_url: str, tenant: str) -> None:
        self.page = Transcript()
        self.connections = 0
        self._base_url = base_url
        self._tenant = tenant
        self._token = self._ticket = ""
        self._socket: ClientConnection | None = None
        self._life = asyncio.create_task(self._stay_connected())
        self._later: set[asyncio.Task[None]] = set()

    async def ask(self, body: str) -> None:
        """Write a message; it waits in the outbox until the server has returned it."""
        client_id = str(uuid.uuid4())
        self.page.outbox[client_id] = body
        await self._post(client_id)

    async def leave(self) -> None:
        """Close the page."""
        for task in (self._life, *self._later):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _stay_connected(self) -> None:
        failures = 0
        fresh = False
        while True:
            try:
                self._token = await asyncio.to_thread(self._open_session)
                async with self._connect(fresh=fresh) as socket:
                    self._socket = socket
                    async for frame in self._frames(socket):
                        self.page.receive(frame)
                        if frame["type"] in {"ready", "resumed"}:
                            failures = 0
                            await self._flush()
                        elif frame["type"] == "error" and frame["error"]["code"] == "unavailable":
                            self._flush_soon()
                        if self.page.gap:
                            break
            except (OSError, TimeoutError, WebSocketException):
                pass
            self._socket, self.page.synced = None, False
            fresh = self.page.gap
            if not fresh:
                pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                failures += 1
                await asyncio.sleep(pause * random.uniform(1 - JITTER, 1 + JITTER))

    def _open_session(self) -> str:
        """The token, and a ticket that is good for the next minutes."""
        frame = f"{self._base_url}/widget/{self._tenant}/frame"
        with urllib.request.urlopen(frame, timeout=OPEN_WITHIN_SECONDS) as response:
            found = re.search('data-ticket="([^"]+)"', response.read().decode())
        assert found is not None
        headers = {"Glassdesk-Ticket": found[1]}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(
            f"{self._base_url}/widget/{self._tenant}/session", method="POST", headers=headers
        )
        with urllib.request.urlopen(request, timeout=OPEN_WITHIN_SECONDS) as response:
            session = json.load(response)
        self._ticket = str(session["ticket"])
        return str(session["token"])

    @asynccontextmanager
    async def _connect(self, *, fresh: bool) -> AsyncIterator[ClientConnection]:
        query = {"language": "en"}
        if self.page.cursor and not fresh:
            query["after"] = self.page.cursor
        address = f"{self._base_url.replace('http', 'ws', 1)}/ws/widget/{self._tenant}/?{urlencode(query)}"
        offered = ["glassdesk.v1", f"visitor.{self._token}", f"origin.{self._ticket}"]
        async with connect(
            address,
            origin=Origin(self._base_url),
            subprotocols=[Subprotocol(each) for each in offered],
            open_timeout=OPEN_WITHIN_SECONDS,
            ping_interval=None,
            close_timeout=1,
        ) as socket:
            self.connections += 1
            yield socket

    async def _frames(self, socket: ClientConnection) -> AsyncIterator[dict[str, object]]:
        """Frames until the socket closes; a silent one is asked for a sign of life."""
        while True:
            try:
                yield json.loads(await asyncio.wait_for(socket.recv(), PING_EVERY_SECONDS))
            except TimeoutError:
                await socket.send(json.dumps({"type": "ping"}))
                yield json.loads(await asyncio.wait_for(socket.recv(), PONG_WITHIN_SECONDS))

    async def _flush(self) -> None:
        for client_id in tuple(self.page.outbox):
            await self._post(client_id)

    def _flush_soon(self) -> None:
        async def flush_later() -> None:
            await asyncio.sleep(RETRY_SECONDS)
            await self._flush()

        task = asyncio.create_task(flush_later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _post(self, client_id: str) -> None:
        if self._socket is not None and self.page.synced:
            frame = {"type": "message", "client_id": client_id, "body": self.page.outbox[client_id]}
            with contextlib.suppress(WebSocketException):
                await self._socket.send(json.dumps(frame))


@asynccontextmanager
async def customers(base_url: str, tenant: str, count: int) -> AsyncIterator[list[Customer]]:
    """So many customers with an open widget."""
    everybody = [Customer(base_url, tenant) for _ in range(count)]
    try:
        await until_all(everybody, lambda customer: customer.page.synced, "connected", seconds=30)
        yield everybody
    finally:
        for customer in everybody:
            await customer.leave()


async def until_all(
    everybody: Sequence[Customer], condition: Callable[[Customer], object], what: str, *, seconds: float
) -> None:
    """Wait until the condition holds for every customer."""
    deadline = time.monotonic() + seconds
    while late := [customer for customer in everybody if not condition(customer)]:
        assert time.monotonic() < deadline, f"{len(late)} customers not {what}: {[one.page for one in late]}"
        await asyncio.sleep(0.02)

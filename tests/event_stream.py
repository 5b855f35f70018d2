"""Server-sent events from the real ASGI application, read as they come."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connections

from helpdesk.asgi import application

# Heartbeats in a row, 15 s apart, after which a test has waited long enough.
MAX_SILENCES = 5


class EventStream:
    """One request to the real ASGI application, read as it comes."""

    def __init__(self, path: str, key: str, **headers: str) -> None:
        sent = {"authorization": f"Bearer {key}", "accept": "text/event-stream", "host": "localhost", **headers}
        scope = {
            "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": b"", "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }  # fmt: skip
        self.app = ApplicationCommunicator(application, scope)
        self.status = 0
        self.headers: dict[str, str] = {}

    async def open(self) -> EventStream:
        await self.app.send_input({"type": "http.request", "body": b"", "more_body": False})
        start = await self.app.receive_output(timeout=20)
        self.status = start["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return self

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        buffer, silences = "", 0
        while True:
            part = await self.app.receive_output(timeout=30)
            buffer += part.get("body", b"").decode()
            while "\n\n" in buffer:
                block, _, buffer = buffer.partition("\n\n")
                if block.startswith(":"):
                    silences += 1
                    assert silences < MAX_SILENCES, "nothing but heartbeats"
                else:
                    silences = 0
                    fields = dict(line.split(": ", 1) for line in block.split("\n"))
                    yield {"id": fields.get("id"), "event": fields["event"], **json.loads(fields["data"])}
            if not part.get("more_body"):
                return

    async def leave(self) -> None:
        await self.app.send_input({"type": "http.disconnect"})
        await self.app.wait(timeout=20)


def in_thread(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """A call of the test's own into Django; its connection is given back."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return sync_to_async(call, thread_sensitive=False)

"""A customer's browser as far as the protocol goes: connects, resumes, applies frames like the widget does."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from channels.testing import WebsocketCommunicator

from conversations.domain import begin_visit
from conversations.identity.visitors import VisitorIdentity, issue_token
from helpdesk.asgi import application
from helpdesk.tenants.models import Tenant
from tests.factories import make_ticket

ORIGIN = [(b"origin", b"http://localhost"), (b"host", b"localhost")]


class Customer:
    """One visitor; keeps a transcript and the text of replies in progress by the protocol's rules."""

    def __init__(self, tenant: Tenant, visitor_id: uuid.UUID | None = None) -> None:
        self.tenant = tenant
        self.visitor_id = visitor_id or begin_visit(tenant.id)
        self.token = issue_token(VisitorIdentity(tenant.id, self.visitor_id))
        self.cursor = ""
        self.messages: dict[str, dict[str, Any]] = {}
        self.writing: dict[str, dict[str, Any]] = {}
        self.frames: list[dict[str, Any]] = []
        self.failed: dict[str, str] = {}
        self.done: list[str] = []
        self.gaps = 0
        self.socket: WebsocketCommunicator | None = None

    async def connect(self, *, resume: bool = False) -> None:
        path = f"/ws/widget/{self.tenant.slug}/" + (f"?after={self.cursor}" if resume and self.cursor else "")
        self.socket = WebsocketCommunicator(
            application,
            path,
            headers=ORIGIN,
            subprotocols=["glassdesk.v1", f"visitor.{self.token}", f"origin.{make_ticket(self.tenant)}"],
        )
        connected, _ = await self.socket.connect(timeout=10)
        assert connected

    async def drop(self) -> None:
        assert self.socket is not None
        await self.socket.disconnect(timeout=10)
        self.socket = None

    async def send(self, **frame: Any) -> None:
        assert self.socket is not None
        await self.socket.send_to(text_data=json.dumps(frame))

    async def ask(self, body: str, client_id: str | None = None) -> str:
        client_id = client_id or str(uuid.uuid4())
        await self.send(type="message", client_id=client_id, body=body)
        return client_id

    async def until(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Receive frames until the condition holds."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self.receive()

    async def receive(self) -> dict[str, Any]:
        assert self.socket is not None
        output = await self.socket.receive_output(timeout=30)
        assert output["type"] == "websocket.send", output
        frame: dict[str, Any] = json.loads(output["text"])
        self.frames.append(frame)
        self._apply(frame)
        return frame

    def _apply(self, frame: dict[str, Any]) -> None:
        self.cursor = frame.get("id") or frame.get("cursor") or self.cursor
        kind = frame["type"]
        if kind == "ready":
            self.messages = {message["id"]: message for message in frame["messages"]}
            self.writing = {
                reply["id"]: {"attempt": reply["attempt"], "sequence": 0, "text": ""} for reply in frame["replies"]
            }
        elif kind == "message":
            self.messages[frame["message"]["id"]] = frame["message"]
        elif kind in {"reply", "phase"}:
            self._attempt(frame)
        elif kind == "delta":
            state = self._attempt(frame)
            if frame["attempt"] == state["attempt"] and frame["sequence"] > state["sequence"]:
                self.gaps += frame["sequence"] != state["sequence"] + 1
                state["sequence"] = frame["sequence"]
                state["text"] += frame["text"]
        elif kind == "done":
            self.writing.pop(frame["reply"], None)
            self.messages[frame["message"]["id"]] = frame["message"]
            self.done.append(frame["reply"])
        elif kind == "failed":
            self.writing.pop(frame["reply"], None)
            self.failed[frame["reply"]] = frame["code"]

    def _attempt(self, frame: dict[str, Any]) -> dict[str, Any]:
        state = self.writing.setdefault(frame["reply"], {"attempt": frame["attempt"], "sequence": 0, "text": ""})
        if frame["attempt"] > state["attempt"]:
            state |= {"attempt": frame["attempt"], "sequence": 0, "text": ""}
        return state

    @property
    def answers(self) -> list[dict[str, Any]]:
        """The AI's messages in order."""
        ordered = sorted(self.messages.values(), key=lambda message: message["position"])
        return [message for message in ordered if message["author"] == "ai"]

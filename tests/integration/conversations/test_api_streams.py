"""Streams for API clients, of a reply that nobody writes yet: what they hold, and what is left when they are left."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from conversations import replies
from helpdesk.streams.entries import conversation_stream
from helpdesk.streams.hub import hub
from tests.api_access import api_call
from tests.event_stream import EventStream, in_thread
from tests.factories import make_api_key, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/conversations"
STREAMS = 30


async def test_open_streams_hold_no_database_connections_and_leaving_unsubscribes() -> None:
    tenant = await in_thread(make_tenant)()
    key = await in_thread(make_api_key)(tenant)
    conversation = (await in_thread(api_call)("POST", PATH, key, {})).json()["id"]
    asked = await in_thread(api_call)("POST", f"{PATH}/{conversation}/messages", key, {"body": "Hello?"})
    reply = asked.json()["reply"]["id"]
    path = f"{PATH}/{conversation}/replies/{reply}/stream"
    streams = [await EventStream(path, key).open() for _ in range(STREAMS)]
    for stream in streams:
        assert (await anext(stream.events()))["event"] == "reply"
    # More streams than the pool has connections, and the pool still serves.
    read = await asyncio.wait_for(in_thread(api_call)("GET", f"{PATH}/{conversation}", key), 10)
    assert read.status_code == 200
    name = conversation_stream(tenant.id, uuid.UUID(conversation))
    assert len(hub()._subscriptions[name]) == STREAMS
    for stream in streams[1:]:
        await stream.leave()
    assert len(hub()._subscriptions[name]) == 1
    await in_thread(replies.fail_reply)(tenant_id=tenant.id, reply_id=uuid.UUID(reply), attempt=None, code="deadline")
    last = [event async for event in streams[0].events()][-1]
    assert (last["event"], last["code"]) == ("failed", "deadline")
    assert "too long" in last["message"]
    assert name not in hub()._subscriptions

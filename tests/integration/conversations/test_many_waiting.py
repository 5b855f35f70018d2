"""Many API clients that wait at once, at the ASGI application as it is deployed: none holds a thread or a database connection."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connection

from conversations.failures import FailureCode
from conversations.models import Message, Reply
from conversations.replies import fail_reply
from helpdesk.api.models import IdempotentRequest
from helpdesk.asgi import application
from helpdesk.streams.hub import hub
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.api_access import api_call
from tests.event_stream import in_thread
from tests.factories import make_api_key, make_tenant
from tests.integration.inference_worker.conftest import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/conversations"
WAITING = 200
# Those of the pool that all parts in the database share, and the few of the services.
THREADS = 60


@pytest.fixture(autouse=True)
def no_worker() -> Iterator[None]:
    with patch("conversations.replies.sending.enqueue_reply"):
        yield


def request(method: str, path: str, key: str, body: Any = None, **headers: str) -> ApplicationCommunicator:
    """A request as Daphne hands it over."""
    sent = {"authorization": f"Bearer {key}", "content-type": "application/json", "host": "localhost", **headers}
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()],
    }  # fmt: skip
    return ApplicationCommunicator(application, scope)


async def send(one: ApplicationCommunicator, body: Any = None) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    await one.send_input({"type": "http.request", "body": content, "more_body": False})


async def answer_of(one: ApplicationCommunicator) -> tuple[int, Any]:
    start = await one.receive_output(timeout=60)
    body = b""
    while True:
        part = await one.receive_output(timeout=60)
        body += part.get("body", b"")
        if not part.get("more_body"):
            return int(start["status"]), json.loads(body)


def asked(tenant: Tenant) -> list[tuple[UUID, UUID]]:
    with tenant_atomic(tenant.id):
        return list(Reply.objects.values_list("id", "conversation_id"))


def begun(tenant: Tenant, key: str, count: int) -> list[str]:
    return [str(api_call("POST", PATH, key, {}).json()["id"]) for _ in range(count)]


def connections_in_use() -> int:
    """Of the pool, other than the one that asks."""
    connection.ensure_connection()
    stats = connection.pool.get_stats()
    in_use = int(stats["pool_size"] - stats["pool_available"])
    connection.close()
    return in_use - 1


async def test_many_waiting_requests_and_streams_hold_no_threads_and_no_connections(
    settings: Any,
) -> None:
    for name in ("API_KEY_REQUESTS_PER_MINUTE", "API_TENANT_REQUESTS_PER_MINUTE", "TENANT_QUEUE", "QUEUE_LIMIT"):
        setattr(settings, name, 10_000)
    tenant = await in_thread(make_tenant)()
    key = await in_thread(make_api_key)(tenant)
    conversations = await in_thread(begun)(tenant, key, WAITING)
    requests = [request("POST", f"{PATH}/{each}/messages", key) for each in conversations]
    for one in requests:
        await send(one, {"body": "Hello?", "wait": 60})
    one_hub = hub()
    await asyncio.to_thread(wait_for, lambda: len(one_hub.streams()) == WAITING, 60)
    rows = await in_thread(asked)(tenant)
    streams = [request("GET", f"{PATH}/{parent}/replies/{reply}/stream", key) for reply, parent in rows]
    for one in streams:
        await send(one)
    for one in streams:
        assert (await one.receive_output(timeout=60))["status"] == 200
    await asyncio.to_thread(wait_for, lambda: _followers(one_hub) == 2 * WAITING, 60)
    await asyncio.to_thread(wait_for, lambda: threading.active_count() < THREADS)
    # Those of the threads that look at rows just now.
    assert await in_thread(connections_in_use)() <= min(32, (os.cpu_count() or 1) + 4)
    # Somebody else is served meanwhile.
    begun_at = time.monotonic()
    assert (await in_thread(api_call)("GET", f"{PATH}/{conversations[0]}", key)).status_code == 200
    assert time.monotonic() - begun_at < 10
    for reply, _ in rows:
        await in_thread(fail_reply)(tenant_id=tenant.id, reply_id=reply, attempt=None, code=FailureCode.DEADLINE)
    for one in requests:
        status, body = await answer_of(one)
        assert (status, body["reply"]["error"]["code"]) == (200, "deadline")
    for one in streams:
        await one.wait(timeout=60)
    assert one_hub.streams() == ()


def _followers(one_hub: Any) -> int:
    return sum(len(each) for each in tuple(one_hub._subscriptions.values()))


async def test_a_caller_who_goes_away_leaves_nothing_and_may_send_the_same_request_again() -> None:
    tenant = await in_thread(make_tenant)()
    key = await in_thread(make_api_key)(tenant)
    (conversation,) = await in_thread(begun)(tenant, key, 1)
    path, question = f"{PATH}/{conversation}/messages", {"body": "Hello?", "wait": 60}
    one_hub = hub()
    for _ in range(2):
        one = request("POST", path, key, idempotency_key="once")
        await send(one, question)
        await asyncio.to_thread(wait_for, lambda: len(one_hub.streams()) == 1)
        await one.send_input({"type": "http.disconnect"})
        await one.wait(timeout=60)
        assert one_hub.streams() == ()
        assert await in_thread(counted)(tenant) == (1, 1, 0)


def counted(tenant: Tenant) -> tuple[int, int, int]:
    """Messages, replies and requests that are kept."""
    with tenant_atomic(tenant.id):
        return Message.objects.count(), Reply.objects.count(), IdempotentRequest.objects.count()

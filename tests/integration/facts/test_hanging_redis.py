"""While Redis hangs, whoever posts waits for its own publish once, and for nobody else's."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import override_settings

from conversations.models import Author, Conversation, Visitor
from conversations.queries import default_assistant
from conversations.transcript import append_message
from helpdesk.facts import delivery
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact
from helpdesk.facts.recording import record
from helpdesk.facts.relay import relay_to
from helpdesk.facts.subscribing import Subscriber, subscribers
from helpdesk.streams import writer
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.integration.facts.hanging_redis import hanging_redis
from tests.integration.facts.listeners import ALL, PROMPT

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_SECONDS = 20
# What the client of streams allows an answer, and time for two busy cores.
PUBLISH_SECONDS, SLACK_SECONDS = 5, 4


@pytest.fixture(autouse=True)
def everybody_is_told_at_once() -> Iterator[None]:
    delivery._resting_until.clear()
    yield
    delivery._resting_until.clear()


@pytest.fixture
def redis_hangs() -> Iterator[None]:
    with hanging_redis() as address, override_settings(REDIS_URL=address):
        writer.client.cache_clear()
        yield
        writer.client().close()
    writer.client.cache_clear()


def make_conversation() -> tuple[Tenant, Conversation]:
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        return tenant, Conversation.objects.create(visitor=Visitor.objects.create(), assistant=default_assistant())


def seconds_to_say(tenant: Tenant, conversation: Conversation) -> float:
    began = time.monotonic()
    with tenant_atomic(tenant.id):
        append_message(conversation, author=Author.CUSTOMER, body="Is anybody there?", language="en")
    return time.monotonic() - began


def owed_to_streams(tenant: Tenant) -> list[bool]:
    """Of each fact, whether those who follow have yet to be told."""
    with tenant_atomic(tenant.id):
        return ["streams" in fact.owed for fact in Fact.objects.order_by("number")]


@pytest.mark.usefixtures("redis_hangs")
def test_the_first_post_waits_for_one_publish_and_the_next_ones_leave_theirs_to_the_relay() -> None:
    tenant, conversation = make_conversation()
    assert seconds_to_say(tenant, conversation) < PUBLISH_SECONDS + SLACK_SECONDS
    assert seconds_to_say(tenant, conversation) < SLACK_SECONDS
    assert owed_to_streams(tenant) == [True, True]


def test_what_was_left_to_the_relay_is_told_at_once_again_after_a_rest() -> None:
    tenant, conversation = make_conversation()
    delivery._resting_until["streams"] = time.monotonic() + 3600
    seconds_to_say(tenant, conversation)
    assert owed_to_streams(tenant) == [True]
    delivery._resting_until["streams"] = time.monotonic()
    seconds_to_say(tenant, conversation)
    assert owed_to_streams(tenant) == [False, False]


@pytest.mark.usefixtures("listeners")
def test_a_post_does_not_wait_for_the_delivery_of_the_one_before_it() -> None:
    """Another process holds the conversation's facts and does not come back: here one that relays them."""
    tenant, lane = make_tenant(), uuid.uuid4()
    PROMPT.refused = {lane}
    with tenant_atomic(tenant.id):
        record(FactKind.STATUS_CHANGED, conversation_id=lane)
    PROMPT.refused = set()
    is_held, may_go_on = threading.Event(), threading.Event()

    def hang(fact: Fact) -> None:
        is_held.set()
        assert may_go_on.wait(WAIT_SECONDS)
        PROMPT.receive(fact)

    def run() -> None:
        try:
            relay_to(Subscriber("prompt", kinds=ALL, deliver=hang, is_prompt=True), [tenant.id])
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert is_held.wait(WAIT_SECONDS)
        began = time.monotonic()
        with tenant_atomic(tenant.id):
            record(FactKind.STATUS_CHANGED, conversation_id=lane)
        assert time.monotonic() - began < SLACK_SECONDS
        assert PROMPT.received == []
    finally:
        may_go_on.set()
        thread.join(WAIT_SECONDS)
    relay_to(subscribers()[0], [tenant.id])
    with tenant_atomic(tenant.id):
        assert PROMPT.received == [fact.id for fact in Fact.objects.order_by("number")]

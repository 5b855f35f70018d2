"""Real processes are killed at the worst moments, and Redis goes away: everybody is notified, in order."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from conversations.models import Author, Conversation, Visitor
from conversations.queries import default_assistant
from conversations.transcript import append_message
from helpdesk.facts.models import Fact
from helpdesk.facts.relay import owing_tenants, relay_to
from helpdesk.facts.subscribing import subscriber_named
from helpdesk.streams.entries import START, Entry, conversation_stream, decode
from helpdesk.streams.hub import hub
from helpdesk.streams.writer import client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.conftest import ROOT
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_SECONDS = 60
# Nobody listens there.
NO_REDIS = "redis://127.0.0.1:1/0"


def make_conversation() -> tuple[Tenant, Conversation]:
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        visitor = Visitor.objects.create()
        return tenant, Conversation.objects.create(visitor=visitor, assistant=default_assistant())


def other_process(point: str, tenant: Tenant, conversation: Conversation, **environment: str) -> int:
    """How another process ended that adds a message to the conversation or relays, and dies at that point."""
    command = [sys.executable, "-m", "tests.integration.facts.dying", point, str(tenant.id), str(conversation.id)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, timeout=WAIT_SECONDS, check=False)
    return done.returncode


def say(tenant: Tenant, conversation: Conversation) -> None:
    with tenant_atomic(tenant.id):
        append_message(conversation, author=Author.CUSTOMER, body="Is anybody there?", language="en")


def facts(tenant: Tenant) -> list[str]:
    with tenant_atomic(tenant.id):
        return [str(fact.id) for fact in Fact.objects.order_by("number")]


def entries(tenant: Tenant, conversation: Conversation) -> list[Entry]:
    return [decode(*raw) for raw in client().xrange(conversation_stream(tenant.id, conversation.id), START)]


def published(tenant: Tenant, conversation: Conversation) -> list[str]:
    return [entry.fact for entry in entries(tenant, conversation)]


def relay() -> None:
    for name, tenant_ids in owing_tenants().items():
        subscriber = subscriber_named(name)
        assert subscriber is not None
        relay_to(subscriber, tenant_ids)


def test_what_a_process_committed_that_died_before_it_notified_anybody_is_relayed() -> None:
    tenant, conversation = make_conversation()
    assert other_process("committed", tenant, conversation) == -signal.SIGKILL
    assert (len(facts(tenant)), published(tenant, conversation)) == (1, [])
    relay()
    assert published(tenant, conversation) == facts(tenant)
    relay()
    assert (published(tenant, conversation), owing_tenants()) == (facts(tenant), {})


def test_what_happens_next_brings_what_a_dead_process_left_before_it() -> None:
    tenant, conversation = make_conversation()
    assert other_process("committed", tenant, conversation) == -signal.SIGKILL
    say(tenant, conversation)
    assert len(facts(tenant)) == 2
    assert published(tenant, conversation) == facts(tenant)


def test_a_process_that_died_before_it_acknowledged_has_its_fact_published_again_under_the_same_id() -> None:
    tenant, conversation = make_conversation()
    assert other_process("published", tenant, conversation) == -signal.SIGKILL
    assert published(tenant, conversation) == facts(tenant)
    relay()
    assert published(tenant, conversation) == facts(tenant) * 2
    first, second = entries(tenant, conversation)
    assert first.data == second.data


async def test_a_reader_gets_a_fact_that_was_published_twice_once(transactional_db: None) -> None:
    tenant, conversation = await asyncio.to_thread(make_conversation)
    await asyncio.to_thread(other_process, "published", tenant, conversation)
    await asyncio.to_thread(relay)
    await asyncio.to_thread(say, tenant, conversation)
    expected = await asyncio.to_thread(facts, tenant)
    async with hub().follow(conversation_stream(tenant.id, conversation.id), after=START) as subscription:
        async with asyncio.timeout(WAIT_SECONDS):
            assert [(await subscription.get()).fact for _ in range(2)] == expected
    assert await asyncio.to_thread(published, tenant, conversation) == [expected[0], *expected]


def test_a_relay_that_dies_leaves_the_rest_to_the_next_one_in_order() -> None:
    tenant, conversation = make_conversation()
    for _ in range(3):
        assert other_process("nowhere", tenant, conversation, REDIS_URL=NO_REDIS) == 0
    assert other_process("relaying", tenant, conversation) == -signal.SIGKILL
    assert published(tenant, conversation) == facts(tenant)[:1]
    relay()
    assert published(tenant, conversation) == facts(tenant)[:1] + facts(tenant)


def test_what_happens_while_redis_is_away_is_published_when_it_is_back() -> None:
    tenant, conversation = make_conversation()
    for _ in range(2):
        assert other_process("nowhere", tenant, conversation, REDIS_URL=NO_REDIS) == 0
    other, others_conversation = make_conversation()
    say(other, others_conversation)
    assert (published(tenant, conversation), published(other, others_conversation)) == ([], facts(other))
    relay()
    assert (len(facts(tenant)), published(tenant, conversation)) == (2, facts(tenant))

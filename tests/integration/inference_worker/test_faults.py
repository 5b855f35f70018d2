"""Parts die while an answer is being written: nothing is lost, nothing doubled, and it mends itself."""

from __future__ import annotations

import asyncio

import pytest
from django.test import override_settings

from conversations.models import Message, Reply, ReplyStatus
from conversations.replies import claim_reply, recover_replies
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.runtime import Runtime
from tests.factories import make_question
from tests.integration.inference_worker.conftest import wait_for
from tests.integration.inference_worker.customer import Customer
from tests.integration.inference_worker.test_answering import ANSWER, QUESTION, off_loop, scoped
from tracing.models import Trace


async def asking(tenant: Tenant, count: int) -> list[Customer]:
    customers = [await off_loop(Customer)(tenant) for _ in range(count)]
    for customer in customers:
        await customer.connect()
        await customer.ask(QUESTION)
    for customer in customers:
        await customer.until(lambda customer=customer: any(frame["type"] == "delta" for frame in customer.frames))
    return customers


async def all_answered_once(tenant: Tenant, customers: list[Customer]) -> None:
    await asyncio.gather(*(customer.until(lambda c=customer: c.answers, 90) for customer in customers))
    for customer in customers:
        await customer.drop()
        (answer,) = customer.answers
        assert ANSWER in answer["body"]
        assert customer.gaps == 0

    def count() -> tuple[int, int, int]:
        return (
            Message.objects.filter(author="ai").count(),
            Reply.objects.filter(status="done").count(),
            Trace.objects.count(),
        )

    assert await scoped(tenant, count) == (len(customers),) * 3


@pytest.mark.django_db(transaction=True)
def test_a_reply_of_a_dead_worker_is_given_back_once_and_then_fails_visibly(shop: Tenant) -> None:
    _, _, reply = make_question(shop, QUESTION)
    assert reply is not None
    with override_settings(REPLY_LEASE_SECONDS=0):
        # The worker of the fixture may take it first; a claim by a worker that then dies is what is wanted.
        wait_for(lambda: _status(shop, reply) == ReplyStatus.DONE)
    _, _, orphan = _orphaned(shop)
    recover_replies(shop.id)
    assert _status(shop, orphan) in {ReplyStatus.QUEUED, ReplyStatus.RUNNING, ReplyStatus.DONE}
    wait_for(lambda: _status(shop, orphan) == ReplyStatus.DONE)


def _orphaned(tenant: Tenant):  # type: ignore[no-untyped-def]
    from unittest.mock import patch

    with patch("conversations.domain.enqueue_reply"), override_settings(REPLY_LEASE_SECONDS=-1):
        asked = make_question(tenant, QUESTION)
        assert asked[2] is not None
        assert claim_reply(tenant_id=tenant.id, reply_id=asked[2].id, worker="dead") is not None
    return asked


def _status(tenant: Tenant, reply: Reply) -> str:
    with tenant_atomic(tenant.id):
        return str(Reply.objects.values_list("status", flat=True).get(id=reply.id))


@pytest.mark.django_db(transaction=True)
def test_a_reply_that_lost_two_workers_fails_visibly(transactional_db: None) -> None:
    from tests.factories import make_tenant

    tenant = make_tenant()
    _, _, reply = _orphaned(tenant)
    from unittest.mock import patch

    with patch("conversations.replies.enqueue_reply"), override_settings(REPLY_LEASE_SECONDS=-1):
        recover_replies(tenant.id)
        assert _status(tenant, reply) == ReplyStatus.QUEUED
        assert claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="dead too") is not None
        recover_replies(tenant.id)
    assert _status(tenant, reply) == ReplyStatus.FAILED


async def test_without_a_master_key_nothing_is_stored_and_the_customer_is_told(shop: Tenant, worker: Runtime) -> None:
    from tracing import keys

    with override_settings(MASTER_KEY=""):
        keys.cache.clear()
        customer = await off_loop(Customer)(shop)
        await customer.connect()
        await customer.ask(QUESTION)
        await customer.until(lambda: customer.failed)
        await customer.drop()
    assert list(customer.failed.values()) == ["sealing"]
    assert await scoped(shop, lambda: (Message.objects.filter(author="ai").count(), Trace.objects.count())) == (0, 0)

"""Parts die while an answer is being written: nothing is lost, nothing doubled, and it mends itself."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from django.test import override_settings

import inference_worker.answering.pipeline
import inference_worker.reply
from conversations.models import Message, Reply, ReplyStatus
from conversations.recovery import recover_replies
from conversations.replies import TakenOver, claim_reply, release_reply
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.endings import DeadlinePassed, Stopped
from inference_worker.engine.contract import EngineError
from inference_worker.runtime import Runtime
from tests.factories import make_question, make_tenant
from tests.integration.inference_worker.conftest import wait_for
from tests.integration.inference_worker.customer import Customer
from tests.integration.inference_worker.test_answering import QUESTION, off_loop, scoped
from tracing.models import Trace


@pytest.mark.django_db(transaction=True)
def test_a_reply_of_a_dead_worker_is_given_back_and_answered_once_by_the_next(shop: Tenant) -> None:
    _, _, orphan = _orphaned(shop)
    recover_replies(shop.id)
    wait_for(lambda: _status(shop, orphan) == ReplyStatus.DONE)
    with tenant_atomic(shop.id):
        assert Reply.objects.values_list("attempt", flat=True).get() == 2
        assert (Message.objects.filter(author="ai").count(), Trace.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "end", [None, EngineError("stopped", retryable=True), DeadlinePassed(), Stopped(), TakenOver()]
)
def test_a_worker_that_lost_its_reply_to_the_queue_leaves_it_there(
    worker: Runtime, transactional_db: None, monkeypatch: pytest.MonkeyPatch, end: Exception | None
) -> None:
    """The lease ran out, or the worker shuts down; whatever ends its work, it must not fail what others will answer."""
    tenant = make_tenant()
    with patch("conversations.replies.sending.enqueue_reply"):
        _, _, reply = make_question(tenant, QUESTION)
        assert reply is not None

        def lose_it(work: object) -> None:
            assert release_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=1)
            if end is not None:
                raise end
            store(work)  # type: ignore[arg-type]

        store = inference_worker.answering.pipeline.store
        monkeypatch.setattr(inference_worker.answering.pipeline, "store", lose_it)
        inference_worker.reply.answer(worker, tenant_id=tenant.id, reply_id=reply.id)
    assert _status(tenant, reply) == ReplyStatus.QUEUED
    with tenant_atomic(tenant.id):
        assert Message.objects.filter(author="ai").count() == 0


def _orphaned(tenant: Tenant):  # type: ignore[no-untyped-def]
    with patch("conversations.replies.sending.enqueue_reply"), override_settings(REPLY_LEASE_SECONDS=-1):
        asked = make_question(tenant, QUESTION)
        assert asked[2] is not None
        assert claim_reply(tenant_id=tenant.id, reply_id=asked[2].id, worker="dead") is not None
    return asked


def _status(tenant: Tenant, reply: Reply) -> str:
    with tenant_atomic(tenant.id):
        return str(Reply.objects.values_list("status", flat=True).get(id=reply.id))


@pytest.mark.django_db(transaction=True)
def test_a_reply_that_lost_two_workers_fails_visibly(transactional_db: None) -> None:
    tenant = make_tenant()
    _, _, reply = _orphaned(tenant)
    with patch("conversations.replies.sending.enqueue_reply"), override_settings(REPLY_LEASE_SECONDS=-1):
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

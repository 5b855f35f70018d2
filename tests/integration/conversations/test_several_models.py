"""An assistant's model decides the queue; one that nobody serves fails visibly instead of waiting for ever."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone

from conversations import queueing
from conversations.failures import FailureCode, sentence_for_customer
from conversations.models import Assistant, Message, Reply, ReplyStatus
from conversations.queueing import enqueue_reply
from conversations.replies import claim_reply, release_reply
from conversations.tasks import sweep_replies
from conversations.unserved import PATIENCE_SECONDS, fail_unserved_replies
from helpdesk.queue.workers import KEY
from helpdesk.streams.writer import client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant
from tests.integration.operations.workers import report, status

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def register() -> Iterator[None]:
    client().delete(KEY)
    yield
    client().delete(KEY)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues of the tasks that would have been sent."""
    queues: list[str] = []
    monkeypatch.setattr(queueing.app, "send_task", lambda *_, queue, **__: queues.append(queue))
    return queues


def choose(tenant: Tenant, model: str) -> None:
    with tenant_atomic(tenant.id):
        Assistant.objects.update(model=model)


def waiting_reply(tenant: Tenant, *, seconds: float = PATIENCE_SECONDS + 5) -> Reply:
    _, message, reply = make_question(tenant)
    assert reply is not None
    with tenant_atomic(tenant.id):
        Message.objects.filter(id=message.id).update(created_at=timezone.now() - timedelta(seconds=seconds))
    return reply


def state(tenant: Tenant, reply: Reply) -> tuple[str, str]:
    with tenant_atomic(tenant.id):
        found = Reply.objects.get(id=reply.id)
        return found.status, found.error_code


def test_replies_go_to_the_queue_of_their_assistants_model(sent: list[str]) -> None:
    first, second = make_tenant(), make_tenant()
    choose(second, "large")
    make_question(first)
    make_question(second)
    assert sent == ["inference", "inference.large"]


def test_a_reply_that_is_given_back_goes_to_the_same_queue(sent: list[str]) -> None:
    tenant = make_tenant()
    choose(tenant, "large")
    reply = waiting_reply(tenant)
    claimed = claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="w")
    assert claimed is not None
    sent.clear()
    release_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=claimed.reply.attempt)
    assert sent == ["inference.large"]


def test_no_row_is_read_to_learn_the_queue(sent: list[str], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        enqueue_reply(uuid.uuid4(), uuid.uuid4(), model="large", priority=0)
    assert sent == ["inference.large"]


def test_what_waits_for_an_absent_model_fails_with_a_sentence(sent: list[str]) -> None:
    tenant = make_tenant()
    choose(tenant, "large")
    reply = waiting_reply(tenant)
    report(status("a"))
    assert fail_unserved_replies(tenant.id) == 1
    assert state(tenant, reply) == (ReplyStatus.FAILED, FailureCode.MODEL_UNAVAILABLE)
    assert "person" in sentence_for_customer(FailureCode.MODEL_UNAVAILABLE)
    assert fail_unserved_replies(tenant.id) == 0


@pytest.mark.parametrize("worker", ["warm", "loading", "stalled", "restarting"])
def test_a_model_that_is_served_or_about_to_be_is_waited_for(sent: list[str], worker: str) -> None:
    tenant = make_tenant()
    choose(tenant, "large")
    reply = waiting_reply(tenant)
    report(status("a", state=worker, alias="large"))
    assert fail_unserved_replies(tenant.id) == 0
    assert state(tenant, reply)[0] == ReplyStatus.QUEUED


def test_a_moment_of_absence_and_the_first_model_fail_nothing(sent: list[str]) -> None:
    fresh, first = make_tenant(), make_tenant()
    choose(fresh, "large")
    replies = [(fresh, waiting_reply(fresh, seconds=1)), (first, waiting_reply(first))]
    assert [fail_unserved_replies(tenant.id) for tenant, _ in replies] == [0, 0]
    assert [state(tenant, reply)[0] for tenant, reply in replies] == [ReplyStatus.QUEUED, ReplyStatus.QUEUED]


def test_while_the_register_cannot_be_read_nothing_fails(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise redis.ConnectionError

    tenant = make_tenant()
    choose(tenant, "large")
    waiting_reply(tenant)
    monkeypatch.setattr("conversations.unserved.served_models", away)
    assert fail_unserved_replies(tenant.id) == 0


def test_the_sweep_looks_at_every_company_by_itself(sent: list[str]) -> None:
    with_absent, without = make_tenant(), make_tenant()
    choose(with_absent, "large")
    failing, waiting = waiting_reply(with_absent), waiting_reply(without)
    sweep_replies()
    assert state(with_absent, failing) == (ReplyStatus.FAILED, FailureCode.MODEL_UNAVAILABLE)
    assert state(without, waiting)[0] == ReplyStatus.QUEUED

"""Every end of a reply is counted once, with its reason, wherever it comes from."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY

from conversations import domain, replies
from conversations.failures import FailureCode
from conversations.models import Conversation, Outcome, Reply, ReplyStatus
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant, make_user
from tracing.forget import forget_conversation

pytestmark = pytest.mark.django_db(transaction=True)


def counted(outcome: str, reason: str = "") -> float:
    labels = {"outcome": outcome, "channel": "widget", "reason": reason}
    return REGISTRY.get_sample_value("glassdesk_replies_total", labels) or 0


def answer(tenant: Tenant, reply: Reply, outcome: Outcome) -> None:
    claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="w")
    assert claimed is not None
    with tenant_atomic(tenant.id):
        replies.finish_reply(claimed.reply, replies.Answer(body="Two days.", language="en", outcome=outcome))


def end(way: str, tenant: Tenant, conversation: Conversation, reply: Reply) -> None:
    match way:
        case "stopped":
            replies.stop_reply(tenant_id=tenant.id, conversation_id=conversation.id, reply_id=reply.id)
        case "superseded":
            agent = make_user(tenant)
            domain.post_person_message(tenant_id=tenant.id, conversation_id=conversation.id, user=agent, body="Hello!")
        case "deleted":
            with tenant_atomic(tenant.id):
                forget_conversation(conversation.id)


@pytest.mark.parametrize("way", ["stopped", "superseded", "deleted"])
def test_a_reply_that_ends_before_a_worker_has_it_is_counted_with_the_reason(way: str) -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    assert reply is not None
    before = counted("failed", way)
    end(way, tenant, conversation, reply)
    assert counted("failed", way) == before + 1
    with tenant_atomic(tenant.id):
        ended = Reply.objects.get()
    assert (ended.status, ended.error_code, ended.stop_requested) == (ReplyStatus.FAILED, way, True)
    assert ended.finished_at is not None


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.REFUSED, Outcome.STOPPED])
def test_a_stored_answer_is_counted_by_its_outcome(outcome: Outcome) -> None:
    tenant = make_tenant()
    _, _, reply = make_question(tenant)
    assert reply is not None
    before = counted(outcome.value)
    answer(tenant, reply, outcome)
    assert counted(outcome.value) == before + 1


def test_an_answer_that_is_not_stored_after_all_is_not_counted() -> None:
    tenant = make_tenant()
    _, _, reply = make_question(tenant)
    assert reply is not None
    before = counted("answered")
    with pytest.raises(RuntimeError), tenant_atomic(tenant.id):
        answer(tenant, reply, Outcome.ANSWERED)
        raise RuntimeError
    assert counted("answered") == before


def test_a_reply_that_is_being_written_when_its_conversation_is_deleted_stores_nothing(monkeypatch: Any) -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    assert reply is not None
    notified: list[object] = []
    monkeypatch.setattr("conversations.replies.ends.ask_to_stop", notified.append)
    claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="w")
    assert claimed is not None
    with tenant_atomic(tenant.id):
        forget_conversation(conversation.id)
    assert notified == [reply.id]
    with pytest.raises(replies.ReplyLost), tenant_atomic(tenant.id):
        replies.finish_reply(claimed.reply, replies.Answer(body="Late.", language="en", outcome=Outcome.ANSWERED))


def test_a_reply_ends_once() -> None:
    tenant = make_tenant()
    conversation, _, reply = make_question(tenant)
    assert reply is not None
    before = counted("failed", "deadline")
    codes = [FailureCode.DEADLINE, FailureCode.DEADLINE, FailureCode.ENGINE]
    ended = [replies.fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=None, code=code) for code in codes]
    replies.stop_reply(tenant_id=tenant.id, conversation_id=conversation.id, reply_id=reply.id)
    assert (ended, counted("failed", "deadline")) == ([True, False, False], before + 1)
    with tenant_atomic(tenant.id):
        assert Reply.objects.get().error_code == FailureCode.DEADLINE

"""Who wrote a reply and what for: what the row says, and where only answers count."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from conversations import replies
from conversations.api.stats import figures
from conversations.failures import FailureCode
from conversations.inbox import desk
from conversations.models import Assistant, Conversation, Message, Reply
from conversations.queries import replies_in_flight
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant

pytestmark = pytest.mark.django_db


def claim(tenant: Tenant, reply: Reply) -> Reply:
    claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="a")
    assert claimed is not None
    return claimed.reply


def writer(tenant: Tenant, reply: Reply) -> tuple[str | None, int | None]:
    with tenant_atomic(tenant.id):
        row = Reply.objects.select_related("assistant").get(id=reply.id)
        return (row.assistant.name if row.assistant else None), row.assistant_version


def set_version(tenant: Tenant, version: int) -> None:
    with tenant_atomic(tenant.id):
        Assistant.objects.update(version=version)


def asked(tenant: Tenant) -> tuple[Conversation, Message, Reply]:
    conversation, message, reply = make_question(tenant)
    assert reply is not None
    return conversation, message, reply


def add_reply(tenant: Tenant, question: Message, purpose: str) -> Reply:
    with tenant_atomic(tenant.id):
        made: Reply = Reply.objects.create(
            conversation_id=question.conversation_id, question=question, purpose=purpose, deadline_at=timezone.now()
        )
        return made


def test_a_reply_names_the_version_that_it_was_claimed_with_and_nobody_before() -> None:
    tenant = make_tenant()
    _, _, reply = asked(tenant)
    assert writer(tenant, reply) == (None, None)
    set_version(tenant, 2)
    claimed = claim(tenant, reply)
    set_version(tenant, 3)
    assert (claimed.assistant_version, writer(tenant, reply)) == (2, ("Moss", 2))


def test_a_second_attempt_names_the_version_that_it_uses() -> None:
    tenant = make_tenant()
    _, _, reply = asked(tenant)
    claim(tenant, reply)
    replies.release_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=1)
    set_version(tenant, 2)
    claim(tenant, reply)
    assert writer(tenant, reply) == ("Moss", 2)


def test_a_message_has_one_answer_and_any_number_of_other_texts() -> None:
    tenant = make_tenant()
    _, message, reply = asked(tenant)
    drafts = [add_reply(tenant, message, "draft") for _ in range(2)]
    with tenant_atomic(tenant.id):
        assert set(message.replies.values_list("id", flat=True)) == {reply.id, *(draft.id for draft in drafts)}
    with pytest.raises(IntegrityError):
        add_reply(tenant, message, "answer")


def test_what_is_written_for_the_tenants_people_is_not_shown_as_an_answer_to_come() -> None:
    tenant = make_tenant()
    conversation, message, reply = asked(tenant)
    add_reply(tenant, message, "summary")
    with tenant_atomic(tenant.id):
        assert [each.id for each in replies_in_flight(conversation.id)] == [reply.id]


def test_a_draft_that_failed_leaves_no_word_at_the_customers_message() -> None:
    tenant = make_tenant()
    conversation, message, _ = asked(tenant)
    draft = add_reply(tenant, message, "draft")
    replies.fail_reply(tenant_id=tenant.id, reply_id=draft.id, attempt=None, code=FailureCode.ENGINE)
    with tenant_atomic(tenant.id):
        assert [entry.failure for entry in desk.entries(Conversation.objects.get(id=conversation.id))] == [""]


def test_statistics_count_answers_only() -> None:
    tenant = make_tenant()
    _, message, _ = asked(tenant)
    add_reply(tenant, message, "test")
    failed = add_reply(tenant, message, "draft")
    replies.fail_reply(tenant_id=tenant.id, reply_id=failed.id, attempt=None, code=FailureCode.ENGINE)
    with tenant_atomic(tenant.id):
        counted = figures(timezone.now() - timedelta(days=1), timezone.now()).replies
    assert (counted.in_flight, counted.failed) == (1, {})

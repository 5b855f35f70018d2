"""Facts are rows of the transaction that they report."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction

from batches.models import Batch
from batches.settling import end_if_complete
from conversations.models import Visitor
from helpdesk.api_keys.domain import create_key, revoke_key
from helpdesk.api_keys.scopes import Scope
from helpdesk.facts.kinds import AI, Actor, ActorKind, FactKind
from helpdesk.facts.models import Fact
from helpdesk.facts.recording import OutsideTransaction, record
from helpdesk.tenants.scope import TenantScopeMissing, tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.facts.listeners import LATE, PROMPT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("listeners")]


def test_a_fact_holds_who_did_what_to_what_in_ids_codes_and_numbers() -> None:
    tenant = make_tenant()
    conversation_id, reply_id, message_id = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    with tenant_atomic(tenant.id):
        record(
            FactKind.REPLY_DONE, conversation_id=conversation_id, subject_id=reply_id, actor=AI,
            attempt=2, message_id=message_id, outcome="answered",
        )  # fmt: skip
        fact = Fact.objects.get()
    assert (fact.kind, fact.tenant_id, fact.conversation_id, fact.subject_id) == (
        "reply.done", tenant.id, conversation_id, reply_id,
    )  # fmt: skip
    assert (fact.actor, fact.actor_id) == ("ai", "")
    assert fact.data == {"attempt": 2, "message_id": str(message_id), "outcome": "answered"}


def test_nothing_is_recorded_outside_a_transaction() -> None:
    with pytest.raises(OutsideTransaction):
        record(FactKind.STATUS_CHANGED, conversation_id=uuid.uuid4())
    with transaction.atomic(), pytest.raises(TenantScopeMissing):
        record(FactKind.STATUS_CHANGED, conversation_id=uuid.uuid4())


@pytest.mark.parametrize("words", ["My parcel is late", "谢谢", "x" * 65, "a\nb"])
def test_a_fact_refuses_what_somebody_wrote(words: str) -> None:
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        with pytest.raises(ValueError, match="nobody's text"):
            record(FactKind.REPLY_FAILED, code=words)
        assert Fact.objects.count() == 0


def test_a_fact_is_rolled_back_with_its_change_and_nobody_is_notified() -> None:
    tenant = make_tenant()
    with pytest.raises(ZeroDivisionError), tenant_atomic(tenant.id):
        record(FactKind.STATUS_CHANGED, conversation_id=uuid.uuid4())
        raise ZeroDivisionError
    with tenant_atomic(tenant.id):
        assert Fact.objects.count() == 0
    assert (PROMPT.received, LATE.received) == ([], [])


def test_what_is_recorded_after_a_savepoint_was_rolled_back_is_delivered() -> None:
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        with pytest.raises(ZeroDivisionError), tenant_atomic(tenant.id):
            record(FactKind.STATUS_CHANGED, conversation_id=uuid.uuid4())
            raise ZeroDivisionError
        kept = record(FactKind.STATUS_CHANGED, conversation_id=uuid.uuid4())
    assert PROMPT.received == [kept.id]


def test_prompt_subscribers_are_notified_after_the_commit_and_in_order() -> None:
    tenant, conversation_id = make_tenant(), uuid.uuid4()
    with tenant_atomic(tenant.id):
        facts = [record(FactKind.STATUS_CHANGED, conversation_id=conversation_id) for _ in range(3)]
        assert PROMPT.received == []
    assert PROMPT.received == [fact.id for fact in facts]
    with tenant_atomic(tenant.id):
        assert [fact.owed for fact in Fact.objects.all()] == [["late"]] * 3


def test_another_tenant_sees_no_fact() -> None:
    tenant, other = make_tenant(), make_tenant()
    with tenant_atomic(tenant.id):
        record(FactKind.STATUS_CHANGED, actor=Actor(ActorKind.USER, "1"), conversation_id=uuid.uuid4())
    with tenant_atomic(other.id):
        assert Fact.objects.count() == 0


def test_a_key_that_is_made_and_revoked_and_a_batch_that_ends_are_facts_of_the_person_or_the_desk() -> None:
    tenant = make_tenant()
    person = make_user(tenant)
    key = create_key(tenant_id=tenant.id, name="Shop", scopes=[Scope.TRACES_READ], created_by=person).key
    for _ in range(2):
        revoke_key(tenant_id=tenant.id, key_id=key.id)
    with tenant_atomic(tenant.id):
        batch = Batch.objects.create(state="running", visitor=Visitor.objects.create(), item_count=3)
        for _ in range(2):
            end_if_complete(batch)
        facts = [(fact.kind, fact.subject_id, fact.actor, fact.data) for fact in Fact.objects.order_by("number")]
    assert facts == [
        ("api_key.created", key.id, "user", {"scopes": 1}),
        ("api_key.revoked", key.id, "system", {}),
        ("batch.ended", batch.id, "system", {"state": "done", "items": 3}),
    ]

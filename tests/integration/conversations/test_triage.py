"""What people do with conversations beside answering: who may be given one, what wakes, what is passed over, what is recorded."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from conversations import domain
from conversations.inbox import labels, triage
from conversations.models import Conversation, Label, Labelling, Parked, Priority
from conversations.tasks import wake_snoozed
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import SYSTEM, Actor, ActorKind, FactKind, user_actor
from helpdesk.facts.models import Fact
from helpdesk.pending.models import Kind, OpenWork
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db
AGENT = Actor(ActorKind.USER, "7")


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def ask(tenant: Tenant, count: int = 1) -> list[uuid.UUID]:
    return [make_question(tenant)[0].id for _ in range(count)]


def row(tenant: Tenant, conversation_id: uuid.UUID) -> Conversation:
    with tenant_atomic(tenant.id):
        found: Conversation = Conversation.objects.get(id=conversation_id)
        return found


def facts(tenant: Tenant, kind: FactKind) -> list[tuple[Any, ...]]:
    with tenant_atomic(tenant.id):
        return list(
            Fact.objects.filter(kind=kind).order_by("number").values_list("conversation_id", "actor_id", "data")
        )


def snooze(tenant: Tenant, ids: list[uuid.UUID], **ahead: int) -> int:
    with tenant_atomic(tenant.id):
        return triage.park(ids, parked=Parked.SNOOZED, until=timezone.now() + timedelta(**ahead), actor=AGENT)


def test_assigning_leaves_who_has_to_act_as_it_is(tenant: Tenant) -> None:
    [first] = ask(tenant)
    agent = make_user(tenant)
    with tenant_atomic(tenant.id):
        assert triage.assign([first], assignee_id=agent.id, actor=AGENT) == 1
        assert triage.assign([first], assignee_id=agent.id, actor=AGENT) == 0
    found = row(tenant, first)
    assert (found.status, found.assignee_id) == ("ai", agent.id)
    assert facts(tenant, FactKind.ASSIGNED) == [(first, "7", {"assignee": agent.id})]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_nobody_is_assigned_who_may_not_reply(tenant: Tenant, role: Role) -> None:
    [first] = ask(tenant)
    with tenant_atomic(tenant.id), pytest.raises(InvalidInput):
        triage.assign([first], assignee_id=make_user(tenant, role).id, actor=AGENT)
    outsider = make_user(make_tenant())
    with tenant_atomic(tenant.id), pytest.raises(InvalidInput):
        triage.assign([first], assignee_id=outsider.id, actor=AGENT)
    assert row(tenant, first).assignee_id is None


def test_taking_leaves_what_somebody_else_has(tenant: Tenant) -> None:
    free, taken = ask(tenant, 2)
    one, other = make_user(tenant), make_user(tenant)
    with tenant_atomic(tenant.id):
        triage.assign([taken], assignee_id=other.id, actor=AGENT)
        assert triage.assign([free, taken], assignee_id=one.id, actor=AGENT, only_free=True) == 1
        assert triage.assign([free, taken], assignee_id=None, actor=AGENT) == 2
    assert row(tenant, taken).assignee_id is None


def test_another_companys_conversations_are_passed_over(tenant: Tenant) -> None:
    other = make_tenant()
    [theirs] = ask(other)
    agent = make_user(tenant)
    with tenant_atomic(tenant.id):
        label = labels.create_label(name="Refund", colour="red", actor=AGENT)
        assert triage.assign([theirs], assignee_id=agent.id, actor=AGENT) == 0
        assert triage.park([theirs], parked=Parked.PENDING, actor=AGENT) == 0
        assert triage.set_priority([theirs], priority=Priority.HIGH, actor=AGENT) == 0
        assert triage.add_label([theirs], label_id=label.id, actor=AGENT) == 0
        assert triage.resolve([theirs], actor=AGENT) == 0
    found = row(other, theirs)
    assert (found.status, found.parked, found.priority, found.assignee_id) == ("ai", "", "normal", None)
    with tenant_atomic(other.id), pytest.raises(NotFound):
        triage.add_label([theirs], label_id=label.id, actor=AGENT)


def test_too_many_at_once_change_nothing(tenant: Tenant) -> None:
    with tenant_atomic(tenant.id), pytest.raises(InvalidInput):
        triage.set_priority([uuid.uuid4() for _ in range(101)], priority=Priority.HIGH, actor=AGENT)


def test_a_snooze_ends_by_itself(tenant: Tenant) -> None:
    soon, later = ask(tenant, 2)
    assert snooze(tenant, [soon], minutes=2) == 1
    assert snooze(tenant, [later], days=2) == 1
    wake_snoozed()
    assert row(tenant, soon).stage == "snoozed"
    past = timezone.now() - timedelta(seconds=1)
    with tenant_atomic(tenant.id):
        Conversation.objects.filter(id=soon).update(wakes_at=past)
    OpenWork.objects.create(tenant_id=tenant.id, kind=Kind.SNOOZES, due_at=past)
    wake_snoozed()
    assert (row(tenant, soon).stage, row(tenant, soon).wakes_at) == ("open", None)
    assert row(tenant, later).stage == "snoozed"
    assert not OpenWork.objects.filter(kind=Kind.SNOOZES, due_at__lte=timezone.now()).exists()
    assert facts(tenant, FactKind.STAGE_CHANGED)[-1] == (soon, "", {"stage": "open"})


@pytest.mark.parametrize("parked", [Parked.PENDING, Parked.SNOOZED])
def test_a_customers_message_opens_what_was_set_aside(tenant: Tenant, parked: Parked) -> None:
    conversation, _message, _reply = make_question(tenant)
    until = timezone.now() + timedelta(days=1) if parked == Parked.SNOOZED else None
    with tenant_atomic(tenant.id):
        assert triage.park([conversation.id], parked=parked, until=until, actor=AGENT) == 1
        assert triage.park([conversation.id], parked=parked, until=until, actor=AGENT) == 0
    domain.post_person_message(
        tenant_id=tenant.id, conversation_id=conversation.id, user=make_user(tenant), body="We are looking into it."
    )
    assert row(tenant, conversation.id).stage == parked.value
    make_question(tenant, "Any news?", visitor_id=conversation.visitor_id)
    found = row(tenant, conversation.id)
    assert (found.stage, found.wakes_at, found.status) == ("open", None, "person")


@pytest.mark.parametrize("ahead", [{"seconds": -5}, {"seconds": 30}, {"days": 400}])
def test_odd_ends_of_a_snooze_are_refused(tenant: Tenant, ahead: dict[str, int]) -> None:
    ids = ask(tenant)
    with pytest.raises(InvalidInput):
        snooze(tenant, ids, **ahead)
    for parked, until in ((Parked.SNOOZED, None), (Parked.PENDING, timezone.now() + timedelta(days=1))):
        with tenant_atomic(tenant.id), pytest.raises(InvalidInput):
            triage.park(ids, parked=parked, until=until, actor=AGENT)
    assert row(tenant, ids[0]).stage == "open"


def test_the_database_refuses_a_snooze_without_an_end(tenant: Tenant) -> None:
    ids = ask(tenant)
    with tenant_atomic(tenant.id), pytest.raises(IntegrityError), transaction.atomic():
        Conversation.objects.filter(id__in=ids).update(parked=Parked.SNOOZED)


def test_resolving_many_stops_their_answers_and_clears_what_was_set_aside(tenant: Tenant) -> None:
    one, two = ask(tenant, 2)
    agent = make_user(tenant)
    snooze(tenant, [one], days=1)
    with tenant_atomic(tenant.id):
        assert triage.resolve([one, two], actor=user_actor(agent)) == 2
        assert triage.resolve([one, two], actor=AGENT) == 0
        assert triage.park([one], parked=Parked.PENDING, actor=AGENT) == 0
    assert [(row(tenant, each).stage, row(tenant, each).parked) for each in (one, two)] == [("resolved", "")] * 2
    assert [data["status"] for _, _, data in facts(tenant, FactKind.STATUS_CHANGED)] == ["closed", "closed"]
    assert len(facts(tenant, FactKind.REPLY_FAILED)) == 2


def test_priority_and_labels(tenant: Tenant) -> None:
    ids = ask(tenant, 2)
    with tenant_atomic(tenant.id):
        label = labels.create_label(name="  Refund  please ", colour="red", actor=AGENT)
        assert label.name == "Refund please"
        assert triage.set_priority(ids, priority=Priority.URGENT, actor=AGENT) == 2
        assert triage.add_label(ids[:1], label_id=label.id, actor=AGENT) == 1
        assert triage.add_label(ids, label_id=label.id, actor=AGENT) == 1
        assert triage.remove_label(ids[:1], label_id=label.id, actor=AGENT) == 1
        assert list(Labelling.objects.values_list("conversation_id", flat=True)) == ids[1:]
        labels.delete_label(label.id, actor=AGENT)
        assert not Labelling.objects.exists()
    assert [each for each, _, _ in facts(tenant, FactKind.LABELLED)] == ids
    assert [data for _, _, data in facts(tenant, FactKind.PRIORITY_CHANGED)] == [{"priority": "urgent"}] * 2


def test_labels_of_one_name_exist_once_in_each_company(tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        first = labels.create_label(name="Refund", colour="red", actor=SYSTEM)
        second = labels.create_label(name="退款", colour="blue", actor=SYSTEM)
        for name in ("refund", "REFUND"):
            with pytest.raises(Conflict):
                labels.create_label(name=name, colour="red", actor=SYSTEM)
        with pytest.raises(Conflict):
            labels.change_label(second.id, name="Refund", colour="red", actor=SYSTEM)
        for name, colour in (("", "red"), ("x" * 41, "red"), ("bell\x07", "red"), ("Fine", "pink")):
            with pytest.raises(InvalidInput):
                labels.create_label(name=name, colour=colour, actor=SYSTEM)
    other = make_tenant()
    with tenant_atomic(other.id):
        assert labels.create_label(name="Refund", colour="red", actor=SYSTEM).id != first.id
        with pytest.raises(NotFound):
            labels.change_label(first.id, name="Mine now", colour="red", actor=SYSTEM)
        with pytest.raises(NotFound):
            labels.delete_label(first.id, actor=SYSTEM)


@pytest.mark.django_db(transaction=True)
def test_twenty_who_take_at_once_are_one(tenant: Tenant) -> None:
    [first] = ask(tenant)
    people = [make_user(tenant) for _ in range(20)]

    def take(user_id: int) -> int:
        try:
            with tenant_atomic(tenant.id):
                return triage.assign([first], assignee_id=user_id, actor=AGENT, only_free=True)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, [each.id for each in people])) == 1
    assert len(facts(tenant, FactKind.ASSIGNED)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_mark_the_same_ones_in_other_orders_do_not_deadlock(tenant: Tenant) -> None:
    ids = ask(tenant, 6)

    def rank(number: int) -> int:
        order = ids if number % 2 else ids[::-1]
        try:
            with tenant_atomic(tenant.id):
                return triage.set_priority(order, priority=Priority.values[number % 4], actor=AGENT)  # type: ignore[arg-type]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert all(count <= 6 for count in pool.map(rank, range(24)))


def test_labels_are_of_the_company(tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        labels.create_label(name="Refund", colour="red", actor=SYSTEM)
    with tenant_atomic(make_tenant().id):
        assert (labels.labels_by_name(), Label.objects.count()) == ([], 0)

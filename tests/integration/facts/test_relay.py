"""The relay brings what was not delivered: everything, to everybody, in order, whatever fails."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.models import F
from django.test import override_settings
from django.utils import timezone

from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact, Setback
from helpdesk.facts.recording import record
from helpdesk.facts.relay import owing_tenants, relay_to
from helpdesk.facts.subscribing import Subscriber, subscribers
from helpdesk.facts.tasks import forget_delivered_facts
from helpdesk.pending.marks import note, tenants_with
from helpdesk.pending.models import Kind, OpenWork
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.integration.facts.listeners import ALL, LATE, PROMPT, Refused

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("listeners")]
WAIT_SECONDS = 20


def make_facts(tenant: Tenant, lane: uuid.UUID, count: int = 1) -> list[uuid.UUID]:
    with tenant_atomic(tenant.id):
        return [record(FactKind.STATUS_CHANGED, conversation_id=lane).id for _ in range(count)]


def relay() -> None:
    for name, tenant_ids in owing_tenants().items():
        relay_to(next(each for each in subscribers() if each.name == name), tenant_ids)


def let_pauses_end(tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        Setback.objects.update(retry_at=F("retry_at") - timedelta(days=1))


def owed(tenant: Tenant) -> list[list[str]]:
    with tenant_atomic(tenant.id):
        return [fact.owed for fact in Fact.objects.order_by("number")]


def test_the_relay_notifies_those_that_are_not_notified_at_once() -> None:
    tenant = make_tenant()
    facts = make_facts(tenant, uuid.uuid4(), 3)
    assert LATE.received == []
    relay()
    assert (LATE.received, PROMPT.received) == (facts, facts)
    relay()
    assert (LATE.received, owed(tenant)) == (facts, [[], [], []])


def test_the_relay_brings_what_a_prompt_subscriber_could_not_take_and_later_facts_wait_for_it() -> None:
    tenant, lane = make_tenant(), uuid.uuid4()
    PROMPT.refused = {lane}
    first, second = make_facts(tenant, lane), make_facts(tenant, lane)
    PROMPT.refused = set()
    relay()
    assert PROMPT.received == first + second


def test_a_later_fact_of_the_conversation_brings_the_earlier_ones_with_it() -> None:
    tenant, lane = make_tenant(), uuid.uuid4()
    PROMPT.refused = {lane}
    first = make_facts(tenant, lane)
    PROMPT.refused = set()
    second = make_facts(tenant, lane)
    assert PROMPT.received == first + second


def test_a_failure_stops_its_own_conversation_and_no_other_and_no_other_subscriber() -> None:
    tenant, broken, sound = make_tenant(), uuid.uuid4(), uuid.uuid4()
    LATE.refused = {broken}
    waiting, others = make_facts(tenant, broken, 2), make_facts(tenant, sound, 2)
    relay()
    assert (LATE.received, set(PROMPT.received)) == (others, {*waiting, *others})
    LATE.refused = set()
    relay()
    assert LATE.received == others
    let_pauses_end(tenant)
    relay()
    assert LATE.received == others + waiting


@override_settings(FACT_ATTEMPTS=2)
def test_a_fact_that_fails_too_often_is_parked_and_the_next_ones_go_on() -> None:
    tenant, lane = make_tenant(), uuid.uuid4()
    LATE.refused = {lane}
    make_facts(tenant, lane)
    for _ in range(2):
        relay()
        let_pauses_end(tenant)
    with tenant_atomic(tenant.id):
        setback = Setback.objects.get()
    assert (setback.failures, setback.error, setback.parked_at is not None) == (2, Refused.__name__, True)
    LATE.refused = set()
    later = make_facts(tenant, lane)
    relay()
    assert (LATE.received, owed(tenant)) == (later, [[], []])


@override_settings(FACT_ATTEMPTS=1)
def test_the_command_lists_parked_facts_and_has_them_delivered_again() -> None:
    tenant, other, lane = make_tenant(), make_tenant(), uuid.uuid4()
    LATE.refused = {lane}
    (fact,) = make_facts(tenant, lane)
    relay()
    LATE.refused = set()
    listed = said_by_facts()
    assert (str(fact) in listed, "late: Refused" in listed, "1 parked." in listed) == (True, True, True)
    assert said_by_facts(other.slug, again=True) == "0 to be delivered again.\n"
    relay()
    assert LATE.received == []
    assert "1 to be delivered again." in said_by_facts(tenant.slug, again=True)
    relay()
    assert (LATE.received, owed(tenant), said_by_facts()) == ([fact], [[]], "0 parked.\n")


def said_by_facts(*arguments: str, **options: bool) -> str:
    out = StringIO()
    call_command("facts", *arguments, stdout=out, **options)
    return out.getvalue()


def test_what_was_rolled_back_is_not_acknowledged() -> None:
    """A subscriber's own rows and the acknowledgement are one transaction."""
    tenant, lane = make_tenant(), uuid.uuid4()
    make_facts(tenant, lane)

    def write_and_fail(fact: Fact) -> None:
        Tenant.objects.filter(id=tenant.id).update(name="Changed")
        raise Refused

    relay_to(Subscriber("late", kinds=ALL, deliver=write_and_fail), [tenant.id])
    assert (Tenant.objects.get(id=tenant.id).name == "Changed", owed(tenant)) == (False, [["late"]])


def test_two_relays_at_once_deliver_everything_once_and_in_order() -> None:
    tenant = make_tenant()
    lanes = {lane: make_facts(tenant, lane, 5) for lane in (uuid.uuid4() for _ in range(8))}
    late = subscribers()[1]
    both = threading.Barrier(2)

    def run() -> None:
        try:
            both.wait(WAIT_SECONDS)
            relay_to(late, [tenant.id])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    relay()
    for facts in lanes.values():
        assert [each for each in LATE.received if each in facts] == facts
    assert len(LATE.received) == 40


def test_while_one_relay_holds_a_conversation_another_one_goes_on_with_the_rest() -> None:
    tenant, held, free = make_tenant(), uuid.uuid4(), uuid.uuid4()
    first, second = make_facts(tenant, held), make_facts(tenant, free)
    is_held, may_go_on = threading.Event(), threading.Event()

    def hang(fact: Fact) -> None:
        if fact.lane == held:
            is_held.set()
            assert may_go_on.wait(WAIT_SECONDS)
        LATE.receive(fact)

    def run() -> None:
        try:
            relay_to(Subscriber("late", kinds=ALL, deliver=hang), [tenant.id])
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert is_held.wait(WAIT_SECONDS)
        relay_to(subscribers()[1], [tenant.id])
        assert LATE.received == second
    finally:
        may_go_on.set()
        thread.join(WAIT_SECONDS)
    assert LATE.received == second + first


def test_nothing_is_looked_for_where_nothing_is_owed() -> None:
    make_tenant()
    busy = make_tenant()
    make_facts(busy, uuid.uuid4())
    assert owing_tenants() == {"late": [busy.id]}
    relay()
    owing_tenants()
    assert (OpenWork.objects.filter(kind="facts").count(), owing_tenants()) == (0, {})


def test_old_facts_go_once_they_are_owed_to_nobody() -> None:
    tenant = make_tenant()
    for _ in range(3):
        make_facts(tenant, uuid.uuid4())
    with tenant_atomic(tenant.id):
        old, owing, unserved = Fact.objects.all()
        long_ago = timezone.now() - timedelta(days=31)
        Fact.objects.update(at=long_ago, owed=[])
        Fact.objects.filter(id=owing.id).update(owed=["late"])
        Fact.objects.filter(id=unserved.id).update(owed=["taken_off_the_list"])
    young = make_facts(tenant, uuid.uuid4())
    with tenant_atomic(tenant.id):
        # The mark's day has come.
        note(Kind.OLD_FACTS, due_at=long_ago)
    forget_delivered_facts()
    with tenant_atomic(tenant.id):
        assert {fact.id for fact in Fact.objects.all()} == {owing.id, *young}
        assert old.id not in {owing.id, *young}
    # Looked at again until the owed one is gone too.
    assert [noted.tenant_id for noted in tenants_with(Kind.OLD_FACTS)] == [tenant.id]


def test_the_facts_of_a_day_have_one_mark_for_the_day_on_which_they_are_old() -> None:
    tenant = make_tenant()
    for _ in range(3):
        make_facts(tenant, uuid.uuid4())
    [mark] = OpenWork.objects.filter(kind=Kind.OLD_FACTS)
    with tenant_atomic(tenant.id):
        youngest = Fact.objects.order_by("-number")[0].at
    assert timedelta(days=30) < mark.due_at - youngest <= timedelta(days=31)
    assert tenants_with(Kind.OLD_FACTS) == []


def test_a_mark_of_a_fact_that_is_rolled_back_is_made_by_the_next_one() -> None:
    tenant = make_tenant()
    with pytest.raises(ZeroDivisionError), tenant_atomic(tenant.id):
        record(FactKind.STATUS_CHANGED, conversation_id=uuid.uuid4())
        raise ZeroDivisionError
    assert OpenWork.objects.filter(kind=Kind.OLD_FACTS).count() == 0
    make_facts(tenant, uuid.uuid4())
    assert OpenWork.objects.filter(kind=Kind.OLD_FACTS).count() == 1

"""Response times: when clocks start, pause and end, what a broken promise does, and who sets them."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.utils import timezone

from conversations import domain
from conversations.clocks import breaches, winding
from conversations.clocks.hours import after_open_seconds, is_open, open_seconds
from conversations.clocks.times import change_response_times, response_times
from conversations.inbox import triage
from conversations.models import Clock, ClockKind, Conversation, HandOffReason, OpeningHours, Parked, Priority
from conversations.replies import hand_over
from conversations.tasks import raise_clock_breaches
from helpdesk.facts.kinds import SYSTEM, FactKind
from helpdesk.facts.models import Fact
from helpdesk.facts.relay import relay_to
from helpdesk.facts.subscribing import subscriber_named
from helpdesk.pending.models import Kind, OpenWork
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db
NONE: dict[str, int | None] = dict.fromkeys(ClockKind.values)
TIMES = {priority: {"first_reply": 10, "next_reply": 30, "resolution": 240} for priority in Priority.values}
TIMES["urgent"] = {"first_reply": 2, "next_reply": 5, "resolution": 60}


@pytest.fixture
def tenant() -> Tenant:
    tenant = make_tenant()
    change_response_times(tenant_id=tenant.id, times=TIMES)
    return tenant


def waiting(tenant: Tenant) -> uuid.UUID:
    """A conversation that waits for a person."""
    conversation = make_question(tenant)[0]
    with tenant_atomic(tenant.id):
        hand_over(conversation, reason=HandOffReason.REQUESTED, language="en")
    settle(tenant)
    return conversation.id


def settle(tenant: Tenant) -> None:
    """Deliver what is owed to the clocks."""
    relay_to(subscriber_named("clocks"), [tenant.id])


def clocks(tenant: Tenant, conversation_id: uuid.UUID) -> dict[str, Any]:
    """The open ones: how many minutes after its start each is due, or None while it stands still."""
    with tenant_atomic(tenant.id):
        found = Clock.objects.filter(conversation_id=conversation_id, ended_at__isnull=True)
        return {
            clock.kind: clock.due_at and round((clock.due_at - clock.started_at) / timedelta(minutes=1), 1)
            for clock in found
        }


def row(tenant: Tenant, conversation_id: uuid.UUID) -> Conversation:
    with tenant_atomic(tenant.id):
        return Conversation.objects.get(id=conversation_id)  # type: ignore[no-any-return]


def back_in_time(tenant: Tenant, conversation_id: uuid.UUID, **ago: float) -> None:
    """Let every open clock of the conversation have run for so long already."""
    with tenant_atomic(tenant.id):
        for clock in Clock.objects.filter(conversation_id=conversation_id, ended_at__isnull=True):
            clock.started_at -= timedelta(**ago)
            clock.runs_since = clock.runs_since and clock.runs_since - timedelta(**ago)
            clock.due_at = clock.due_at and clock.due_at - timedelta(**ago)
            clock.save()


def test_the_ais_conversations_have_no_clock(tenant: Tenant) -> None:
    conversation = make_question(tenant)[0].id
    settle(tenant)
    assert (clocks(tenant, conversation), row(tenant, conversation).due_at) == ({}, None)


def test_waiting_starts_the_clocks_and_the_row_says_the_first(tenant: Tenant) -> None:
    conversation = waiting(tenant)
    assert clocks(tenant, conversation) == {"first_reply": 10, "resolution": 240}
    found = row(tenant, conversation)
    assert found.due_at == found.waiting_since + timedelta(minutes=10)


def test_without_promises_nothing_runs() -> None:
    tenant = make_tenant()
    assert clocks(tenant, waiting(tenant)) == {}


def test_a_reply_ends_its_clock_and_the_next_message_starts_another(tenant: Tenant) -> None:
    conversation, agent = waiting(tenant), make_user(tenant)
    domain.take_conversation(tenant_id=tenant.id, conversation_id=conversation, user=agent)
    settle(tenant)
    assert set(clocks(tenant, conversation)) == {"first_reply", "resolution"}
    domain.post_person_message(tenant_id=tenant.id, conversation_id=conversation, user=agent, body="Hello")
    settle(tenant)
    assert set(clocks(tenant, conversation)) == {"resolution"}
    make_question(tenant, "And now?", visitor_id=row(tenant, conversation).visitor_id)
    make_question(tenant, "Anyone?", visitor_id=row(tenant, conversation).visitor_id)
    settle(tenant)
    assert clocks(tenant, conversation) == {"resolution": 240, "next_reply": 30}


@pytest.mark.parametrize("end", ["close", "hand back"])
def test_closing_and_handing_back_end_all_clocks(tenant: Tenant, end: str) -> None:
    conversation = waiting(tenant)
    change = domain.close_conversation if end == "close" else domain.hand_back_to_assistant
    change(tenant_id=tenant.id, conversation_id=conversation)
    settle(tenant)
    assert (clocks(tenant, conversation), row(tenant, conversation).due_at) == ({}, None)


def test_clocks_stand_still_while_it_is_pending(tenant: Tenant) -> None:
    conversation = waiting(tenant)
    back_in_time(tenant, conversation, minutes=4)
    with tenant_atomic(tenant.id):
        triage.park([conversation], parked=Parked.PENDING, actor=SYSTEM)
    settle(tenant)
    assert clocks(tenant, conversation) == {"first_reply": None, "resolution": None}
    assert row(tenant, conversation).due_at is None
    with tenant_atomic(tenant.id):
        triage.park([conversation], parked=Parked.NO, actor=SYSTEM)
    settle(tenant)
    left = row(tenant, conversation).due_at - timezone.now()
    assert timedelta(minutes=5.8) < left < timedelta(minutes=6.1)


def test_a_priority_has_its_own_times(tenant: Tenant) -> None:
    conversation = waiting(tenant)
    with tenant_atomic(tenant.id):
        triage.set_priority([conversation], priority=Priority.URGENT, actor=SYSTEM)
    settle(tenant)
    assert clocks(tenant, conversation) == {"first_reply": 2, "resolution": 60}


def test_changed_times_leave_what_runs(tenant: Tenant) -> None:
    conversation = waiting(tenant)
    change_response_times(tenant_id=tenant.id, times=TIMES | {"normal": NONE})
    with tenant_atomic(tenant.id):
        winding.wind(conversation, at=timezone.now())
    assert clocks(tenant, conversation) == {"first_reply": 10, "resolution": 240}


def test_a_broken_promise_is_said_once(tenant: Tenant) -> None:
    conversation, agent = waiting(tenant), make_user(tenant)
    assert breaches.raise_breaches(tenant.id) == 0
    back_in_time(tenant, conversation, minutes=11)
    OpenWork.objects.create(tenant_id=tenant.id, kind=Kind.CLOCKS)
    raise_clock_breaches()
    raise_clock_breaches()
    with tenant_atomic(tenant.id):
        facts = list(Fact.objects.filter(kind=FactKind.CLOCK_BREACHED).values_list("conversation_id", "data"))
    assert facts == [(conversation, {"clock": "first_reply", "priority": "normal", "channel": "widget"})]
    assert row(tenant, conversation).overdue_at is not None
    relay_to(subscriber_named("breach_mail"), [tenant.id])
    [sent] = mail.outbox
    assert (sent.bcc, "First reply" in sent.body) == ([agent.email], True)


def test_the_mail_goes_to_whom_it_is_assigned(tenant: Tenant) -> None:
    conversation, agent = waiting(tenant), make_user(tenant)
    make_user(tenant)
    with tenant_atomic(tenant.id):
        triage.assign([conversation], assignee_id=agent.id, actor=SYSTEM)
    back_in_time(tenant, conversation, minutes=11)
    breaches.raise_breaches(tenant.id)
    relay_to(subscriber_named("breach_mail"), [tenant.id])
    assert [sent.bcc for sent in mail.outbox] == [[agent.email]]


def test_who_has_left_the_company_gets_no_mail_of_what_was_theirs(tenant: Tenant) -> None:
    conversation, gone, agent = waiting(tenant), make_user(tenant), make_user(tenant)
    with tenant_atomic(tenant.id):
        triage.assign([conversation], assignee_id=gone.id, actor=SYSTEM)
        Membership.objects.filter(user=gone).delete()
    back_in_time(tenant, conversation, minutes=11)
    breaches.raise_breaches(tenant.id)
    relay_to(subscriber_named("breach_mail"), [tenant.id])
    assert [sent.bcc for sent in mail.outbox] == [[agent.email]]


def test_who_answers_too_late_has_broken_it_also_unsaid(tenant: Tenant) -> None:
    conversation, agent = waiting(tenant), make_user(tenant)
    back_in_time(tenant, conversation, minutes=11)
    domain.post_person_message(tenant_id=tenant.id, conversation_id=conversation, user=agent, body="Sorry!")
    settle(tenant)
    with tenant_atomic(tenant.id):
        assert Clock.objects.get(kind="first_reply").breached_at is not None
    assert row(tenant, conversation).overdue_at is None


def test_clocks_run_in_business_hours_only(tenant: Tenant) -> None:
    now = timezone.now()
    with tenant_atomic(tenant.id):
        week = [[[9 * 60, 17 * 60]] for _ in range(7)]
        OpeningHours.objects.create(is_on=True, time_zone="UTC", week=week, special={})
        evening = now.replace(hour=16, minute=55, second=0, microsecond=0)
        assert after_open_seconds(evening, 600) == evening + timedelta(hours=16, minutes=10)
        assert open_seconds(evening, evening + timedelta(days=1)) == 8 * 3600
        assert open_seconds(evening, evening - timedelta(hours=1)) == 0
        assert [is_open(evening), is_open(evening + timedelta(hours=1))] == [True, False]


def test_another_companys_clocks_are_out_of_reach(tenant: Tenant) -> None:
    other = make_tenant()
    change_response_times(tenant_id=other.id, times=TIMES)
    theirs = waiting(other)
    back_in_time(other, theirs, minutes=11)
    assert breaches.raise_breaches(tenant.id) == 0
    with tenant_atomic(tenant.id):
        winding.wind(theirs, at=timezone.now())
        assert not Clock.objects.exists()
    assert set(clocks(other, theirs)) == {"first_reply", "resolution"}


@pytest.mark.django_db(transaction=True)
def test_several_who_wind_at_once_start_each_clock_once(tenant: Tenant) -> None:
    conversation = make_question(tenant)[0]
    with tenant_atomic(tenant.id):
        hand_over(conversation, reason=HandOffReason.REQUESTED, language="en")

    def once(_number: int) -> int:
        try:
            with tenant_atomic(tenant.id):
                winding.wind(conversation.id, at=timezone.now())
            return breaches.raise_breaches(tenant.id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(once, range(8)))
    assert set(clocks(tenant, conversation.id)) == {"first_reply", "resolution"}
    back_in_time(tenant, conversation.id, minutes=11)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(once, range(8))) == 1


def address(tenant: Tenant) -> str:
    return f"/desk/{tenant.slug}/response-times/"


def test_who_may_set_the_times(client: Client, tenant: Tenant) -> None:
    form = {"normal-first_reply": "7"}
    for role in (Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER):
        client.force_login(make_user(tenant, role))
        assert client.post(address(tenant), form).status_code == 403
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert client.post(address(tenant), form).status_code == 404
    with tenant_atomic(tenant.id):
        assert response_times() == TIMES
    client.force_login(make_user(tenant, Role.ADMIN))
    assert client.get(address(tenant)).status_code == 200
    assert client.post(address(tenant), form).status_code == 302
    with tenant_atomic(tenant.id):
        assert response_times() == {each: NONE | ({"first_reply": 7} if each == "normal" else {}) for each in Priority}


@pytest.mark.parametrize("minutes", ["0", "-1", "x", "999999", "1.5"])
def test_impossible_minutes_are_said_at_their_field(client: Client, tenant: Tenant, minutes: str) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    response = client.post(address(tenant), {"urgent-resolution": minutes})
    assert (response.status_code, set(response.context["form"].errors)) == (400, {"urgent-resolution"})


def test_the_inbox_shows_and_sorts_by_what_is_due(client: Client, tenant: Tenant) -> None:
    late, soon = waiting(tenant), waiting(tenant)
    without = make_question(tenant)[0].id
    back_in_time(tenant, late, minutes=11)
    with tenant_atomic(tenant.id):
        for each in (late, soon):
            winding.show_on_row(Conversation.objects.get(id=each))
    client.force_login(make_user(tenant))
    page = f"/desk/{tenant.slug}/inbox/"
    rows = client.get(f"{page}rows/?order=due").context["rows"]
    assert [(each.id, each.is_overdue) for each in rows] == [(late, True), (soon, False)]
    assert {each.id: each.due for each in client.get(f"{page}rows/").context["rows"]} == {
        late: "Overdue 1 min", soon: "Due in 10 min", without: "",
    }  # fmt: skip
    shown = client.get(f"{page}{late}/").context["clocks"]
    assert [(each.label, each.is_over) for each in shown] == [("First reply", True), ("Resolution", False)]


def test_pages_by_due_time_follow_each_other(tenant: Tenant) -> None:
    from django.http import QueryDict

    from conversations.inbox.queues import page_of, read_listed

    ids = [waiting(tenant) for _ in range(3)]
    with tenant_atomic(tenant.id):
        found, _ = page_of(read_listed({"order": "due"}), 0)
        assert [each.id for each in found] == ids
        link = QueryDict(read_listed({"order": "due"}).behind_row(found[0]))
        behind, _ = page_of(read_listed({name: str(value) for name, value in link.items()}), 0)
    assert [each.id for each in behind] == ids[1:]

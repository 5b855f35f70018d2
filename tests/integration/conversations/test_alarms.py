"""A hand-off that nobody takes raises one alarm: in the inbox, as a fact and by mail."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone

from conversations import domain
from conversations.hand_off.alarms import raise_alarms
from conversations.intake import ask_for_person
from conversations.mails import mail_unclaimed
from conversations.models import Conversation, HandOff
from conversations.tasks import raise_hand_off_alarms
from helpdesk.facts.models import Fact
from helpdesk.pending.models import Kind, OpenWork
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(tenant: Tenant) -> Conversation:
    conversation, _, _ = make_question(tenant)
    return ask_for_person(tenant_id=tenant.id, visitor_id=conversation.visitor_id, language="en")


def let_time_pass(tenant: Tenant) -> None:
    past = timezone.now() - timedelta(minutes=1)
    with tenant_atomic(tenant.id):
        HandOff.objects.update(alarm_at=past, began_at=past - timedelta(minutes=5))
    OpenWork.objects.filter(tenant=tenant, kind=Kind.HAND_OFFS).delete()
    OpenWork.objects.create(tenant=tenant, kind=Kind.HAND_OFFS)


def alarms(tenant: Tenant) -> list[Fact]:
    with tenant_atomic(tenant.id):
        return list(Fact.objects.filter(kind="hand_off.unclaimed"))


def test_an_unclaimed_hand_off_is_an_alarm_once_however_often_the_sweep_runs() -> None:
    tenant = make_tenant()
    conversation = waiting(tenant)
    raise_hand_off_alarms()
    assert alarms(tenant) == []
    let_time_pass(tenant)
    for _ in range(3):
        raise_hand_off_alarms()
    [alarm] = alarms(tenant)
    assert (alarm.conversation_id, alarm.data["reason"], alarm.data["seconds"] >= 360) == (
        conversation.id,
        "requested",
        True,
    )
    with tenant_atomic(tenant.id):
        assert Conversation.objects.get().alarmed_at is not None
    assert not OpenWork.objects.filter(tenant=tenant, kind=Kind.HAND_OFFS).exists()


def test_two_sweeps_at_once_raise_one_alarm() -> None:
    tenant = make_tenant()
    waiting(tenant)
    let_time_pass(tenant)
    barrier = threading.Barrier(8)

    def sweep(_: int) -> int:
        barrier.wait()
        try:
            return raise_alarms(tenant.id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(sweep, range(8))) == 1
    assert len(alarms(tenant)) == 1


@pytest.mark.parametrize("way", ["take", "cancel", "close"])
def test_what_was_seen_to_in_time_is_no_alarm(way: str) -> None:
    tenant = make_tenant()
    conversation = waiting(tenant)
    if way == "take":
        domain.take_conversation(tenant_id=tenant.id, conversation_id=conversation.id, user=make_user(tenant))
    elif way == "cancel":
        domain.cancel_wait(tenant_id=tenant.id, conversation_id=conversation.id, visitor_id=conversation.visitor_id)
    else:
        domain.close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)
    let_time_pass(tenant)
    raise_hand_off_alarms()
    assert alarms(tenant) == []


def test_taking_it_takes_the_mark_away() -> None:
    tenant = make_tenant()
    conversation = waiting(tenant)
    let_time_pass(tenant)
    raise_hand_off_alarms()
    domain.take_conversation(tenant_id=tenant.id, conversation_id=conversation.id, user=make_user(tenant))
    with tenant_atomic(tenant.id):
        assert Conversation.objects.get().alarmed_at is None


def test_those_who_may_reply_get_a_mail_without_anybodys_words_or_addresses() -> None:
    tenant, other = make_tenant(), make_tenant()
    make_user(other)
    make_user(tenant, Role.VIEWER)
    people = sorted(make_user(tenant, role).email for role in (Role.AGENT, Role.OWNER))
    conversation = waiting(tenant)
    let_time_pass(tenant)
    raise_hand_off_alarms()
    [alarm] = alarms(tenant)
    with tenant_atomic(tenant.id):
        mail_unclaimed(alarm)
    [sent] = mail.outbox
    assert (sent.to, sorted(sent.bcc)) == ([], people)
    assert f"/desk/{tenant.slug}/inbox/{conversation.id}/" in sent.body
    assert "How long does delivery take?" not in sent.body + sent.subject


def test_no_mail_goes_out_about_what_was_taken_meanwhile() -> None:
    tenant = make_tenant()
    agent, conversation = make_user(tenant), waiting(tenant)
    let_time_pass(tenant)
    raise_hand_off_alarms()
    domain.take_conversation(tenant_id=tenant.id, conversation_id=conversation.id, user=agent)
    with tenant_atomic(tenant.id):
        mail_unclaimed(alarms(tenant)[0])
    assert mail.outbox == []


def test_a_sweep_raises_each_companys_own_alarms() -> None:
    tenant, other = make_tenant(), make_tenant()
    waiting(tenant)
    waiting(other)
    let_time_pass(tenant)
    assert raise_alarms(other.id) == 0
    assert raise_alarms(tenant.id) == 1
    assert alarms(other) == []

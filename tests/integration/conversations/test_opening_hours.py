"""Business hours: who may set them, what customers are told outside them, and what they do to the wait and the alarm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from conversations import domain
from conversations.intake import ask_for_person
from conversations.models import HandOff, OpeningHours
from conversations.opening.changing import NewHours, change_opening_hours
from conversations.opening.stored import expected_wait
from conversations.queries import conversation_by_id, describe_conversation
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.models import Fact
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_ticket, make_user

pytestmark = pytest.mark.django_db(transaction=True)
DAY_AND_NIGHT = [[(0, 1440)]] * 7


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def client_of(tenant: Tenant, role: Role) -> Client:
    client = Client()
    client.force_login(make_user(tenant, role))
    return client


def address(tenant: Tenant) -> str:
    return f"/desk/{tenant.slug}/widget/hours/"


def typed(**changed: str) -> dict[str, str]:
    week = {f"day_{number}": "09:00-18:00" if number < 5 else "" for number in range(7)}
    return week | {"is_on": "on", "time_zone": "Asia/Shanghai", "special": "2026-10-01", "based_on": "0"} | changed


def set_hours(tenant: Tenant, week: Any, *, special: Any = None, is_on: bool = True, based_on: int = 0) -> bool:
    hours = NewHours(is_on=is_on, time_zone="UTC", week=week, special=special or {})
    return change_opening_hours(tenant_id=tenant.id, based_on=based_on, hours=hours)


def closed_today() -> dict[str, Any]:
    """Nobody is there today and tomorrow, whatever the time is."""
    today = datetime.now(UTC).date()
    return {(today + timedelta(days=each)).isoformat(): [] for each in (0, 1)}


def waiting(tenant: Tenant) -> Any:
    visitor = domain.begin_visit(tenant.id)
    return ask_for_person(tenant_id=tenant.id, visitor_id=visitor, language="en")


def described(tenant: Tenant, conversation: Any) -> dict[str, Any]:
    with tenant_atomic(tenant.id):
        return describe_conversation(conversation_by_id(conversation.id))


def session(tenant: Tenant) -> Any:
    return Client().post(f"/widget/{tenant.slug}/session", headers={"Glassdesk-Ticket": make_ticket(tenant)}).json()


def test_owners_and_admins_set_them_and_nobody_else(tenant: Tenant) -> None:
    for role in Role:
        allowed = role in {Role.OWNER, Role.ADMIN}
        client = client_of(tenant, role)
        assert client.get(address(tenant)).status_code == (200 if allowed else 403)
        if not allowed:
            assert client.post(address(tenant), typed()).status_code == 403
    assert Client().post(address(tenant), typed()).status_code == 302
    assert client_of(make_tenant(), Role.OWNER).post(address(tenant), typed()).status_code == 404
    with tenant_atomic(tenant.id):
        assert not OpeningHours.objects.exists()
    response = client_of(tenant, Role.ADMIN).post(address(tenant), typed())
    assert (response.status_code, response["Location"]) == (302, address(tenant))
    with tenant_atomic(tenant.id):
        row = OpeningHours.objects.get()
        facts = list(Fact.objects.filter(kind="opening_hours.changed").values_list("data", flat=True))
    assert (row.is_on, row.time_zone, row.week[0], row.week[6]) == (True, "Asia/Shanghai", [[540, 1080]], [])
    assert (row.special, facts) == ({"2026-10-01": []}, [{"version": 1, "is_on": 1, "special_days": 1}])


def test_what_cannot_be_saved_comes_back_beside_its_field(tenant: Tenant) -> None:
    client = client_of(tenant, Role.OWNER)
    closed = {f"day_{number}": "" for number in range(7)}
    for wrong in ({"day_2": "nine to five"}, {"special": "<b>xmas</b>"}, {"time_zone": "Mars/Olympus"}, closed):
        response = client.post(address(tenant), typed(**wrong))
        page = response.content.decode()
        assert (response.status_code, "field-error" in page, "<b>xmas" in page) == (400, True, False)
    with tenant_atomic(tenant.id):
        assert not OpeningHours.objects.exists()


def test_two_people_do_not_undo_each_others_hours(tenant: Tenant) -> None:
    client = client_of(tenant, Role.OWNER)
    client.post(address(tenant), typed())
    response = client.post(address(tenant), typed(day_0="10:00-11:00"))
    assert response.status_code == 409
    assert "Somebody changed these settings meanwhile." in response.content.decode()
    assert client.post(address(tenant), typed(day_0="10:00-11:00", based_on="1")).status_code == 302
    assert client.post(address(tenant), typed(day_0="10:00-11:00", based_on="2")).status_code == 302
    with tenant_atomic(tenant.id):
        assert OpeningHours.objects.get().version == 2


def test_of_several_who_are_the_first_at_once_one_wins(tenant: Tenant) -> None:
    outcomes: list[str] = []

    def run(minutes: int) -> None:
        try:
            set_hours(tenant, [[(540, 540 + minutes)]] * 7)
            outcomes.append("saved")
        except Conflict:
            outcomes.append("conflict")
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(minutes,)) for minutes in (10, 20, 30, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "conflict", "conflict", "saved"]


def test_hours_that_never_open_cannot_be_switched_on(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput):
        set_hours(tenant, [[]] * 7)
    assert set_hours(tenant, [[]] * 7, is_on=False)


def test_who_waits_while_people_are_there_is_told_minutes_and_who_waits_outside_when_they_are_back(
    tenant: Tenant,
) -> None:
    conversation = waiting(tenant)
    assert (described(tenant, conversation)["wait_minutes"], described(tenant, conversation)["back_at"]) == (4, None)
    set_hours(tenant, DAY_AND_NIGHT)
    assert (described(tenant, conversation)["wait_minutes"], session(tenant)["back_at"]) == (4, None)
    set_hours(tenant, DAY_AND_NIGHT, special=closed_today(), based_on=1)
    back = (datetime.now(UTC) + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0).isoformat()
    told = described(tenant, conversation)
    assert (told["wait_minutes"], told["back_at"], told["waiting_position"]) == (None, back, 1)
    assert session(tenant)["back_at"] == back
    assert session(make_tenant())["back_at"] is None
    set_hours(tenant, DAY_AND_NIGHT, special=closed_today(), is_on=False, based_on=2)
    assert (described(tenant, conversation)["wait_minutes"], session(tenant)["back_at"]) == (4, None)


def test_a_wait_past_closing_time_is_no_promise_in_minutes(tenant: Tenant) -> None:
    set_hours(tenant, [[(540, 1080)]] * 7)
    closing = datetime(2026, 12, 7, 17, 50, tzinfo=UTC)
    with tenant_atomic(tenant.id):
        assert expected_wait(closing, 8).minutes == 8
        late = expected_wait(closing, 12)
    assert (late.minutes, late.back_at) == (None, datetime(2026, 12, 8, 9, tzinfo=UTC))


def test_the_alarm_of_an_unclaimed_hand_off_counts_the_time_in_which_people_are_there(tenant: Tenant) -> None:
    set_hours(tenant, DAY_AND_NIGHT, special=closed_today())
    waiting(tenant)
    with tenant_atomic(tenant.id):
        alarm_at = HandOff.objects.get().alarm_at
    opens = (timezone.now() + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert alarm_at == opens + timedelta(minutes=5)

"""What is counted as what, on which day, and for whom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from conversations.inbox import labels, triage
from conversations.models import Channel
from helpdesk.facts.kinds import SYSTEM
from helpdesk.facts.relay import relay_to
from helpdesk.facts.subscribing import subscriber_named
from helpdesk.pending.models import Kind, OpenWork
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from reports import adding_up
from reports.counting import Selection
from reports.days import has_days_due
from reports.models import DayFigures, ReportDay, ReportSettings
from reports.names import Figures
from reports.reading import Wanted, read
from reports.report import report_of
from reports.tasks import add_up_days
from tests.factories import make_tenant, make_user
from tests.integration.reports.days import NOON, rate, talk, wait

pytestmark = pytest.mark.django_db
DAY = NOON.date()
ASKED, ANSWERED = (0, "customer", None), (4, "ai", "answered")


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def figures(tenant: Tenant, day: date = DAY, **selection: Any) -> Figures:
    """What stands in the row of that day once it was added up."""
    adding_up.add_up(tenant.id, day)
    with tenant_atomic(tenant.id):
        return read(Wanted(day, day, Selection(**selection))).total


def some(found: Figures, *names: str) -> dict[str, int]:
    return {name: found[name] for name in names if found[name]}


def test_a_conversation_that_the_ai_answers(tenant: Tenant) -> None:
    talk(tenant, NOON, [ASKED, ANSWERED])
    assert figures(tenant) == {
        "conversations": 1, "messages:customer": 1, "messages:ai": 1, "hour:12": 1, "answers:answered": 1,
        "first_reply:15": 1, "resolved:assumed": 1, "resolution:15": 1, "answered_by:ai": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "confirmed", "assumed"),
    [
        ([ASKED, ANSWERED], 0, 1),
        ([ASKED, (4, "ai", "refused")], 0, 0),
        ([ASKED, ANSWERED, (80_000, "customer", None)], 0, 0),
        ([ASKED, ANSWERED, (90_000, "customer", None)], 0, 1),
        ([ASKED, ANSWERED, (600, "system", ("closed", "agent"))], 1, 0),
        ([ASKED, ANSWERED, (600, "system", ("closed_by_rule", None))], 0, 1),
        ([ASKED, ANSWERED, (600, "system", ("solved", None))], 1, 0),
        ([ASKED, ANSWERED, (600, "system", ("closed", None))], 0, 1),
        ([ASKED, (4, "ai", "refused"), (600, "system", ("closed", None))], 0, 0),
        ([ASKED, (60, "person", "agent"), (600, "system", ("closed", "agent"))], 1, 0),
        ([ASKED, ANSWERED, (600, "system", ("closed", "agent")), (700, "system", ("reopened", "agent")),
          (800, "system", ("closed", "agent"))], 1, 0),
    ],
)  # fmt: skip
def test_what_counts_as_resolved(tenant: Tenant, lines: list[Any], confirmed: int, assumed: int) -> None:
    agent = make_user(tenant).id
    named = [
        (
            second,
            author,
            agent if what == "agent" else (what[0], agent) if isinstance(what, tuple) and what[1] else what,
        )
        for second, author, what in lines
    ]
    talk(tenant, NOON, named)
    found = figures(tenant)
    assert (found["resolved:confirmed"], found["resolved:assumed"]) == (confirmed, assumed)


def test_a_thumb_up_confirms_and_a_thumb_down_denies(tenant: Tenant) -> None:
    for rating in ("up", "up", "down"):
        rate(tenant, talk(tenant, NOON, [ASKED, ANSWERED]), rating, NOON + timedelta(minutes=1))
    found = figures(tenant)
    assert some(found, "resolved:confirmed", "resolved:assumed", "ratings:up", "ratings:down") == {
        "resolved:confirmed": 2, "ratings:up": 2, "ratings:down": 1,
    }  # fmt: skip


def test_closing_later_counts_nothing_twice(tenant: Tenant) -> None:
    agent = make_user(tenant).id
    talk(tenant, NOON, [ASKED, ANSWERED, (3 * 86_400, "system", ("closed", agent))])
    assert (figures(tenant)["resolved:assumed"], figures(tenant, DAY + timedelta(days=3))["resolved:confirmed"]) == (
        1,
        0,
    )


def test_closing_after_a_wait_or_a_thumb_down_is_a_resolution_of_its_own(tenant: Tenant) -> None:
    agent = make_user(tenant).id
    lines = [ASKED, ANSWERED, (3 * 86_400, "system", ("closed", agent))]
    rate(tenant, talk(tenant, NOON, lines), "down", NOON + timedelta(minutes=1))
    wait(tenant, talk(tenant, NOON, lines), NOON + timedelta(seconds=5), 3 * 1440, "closed")
    assert figures(tenant)["resolved:assumed"] == 0
    later = figures(tenant, DAY + timedelta(days=3))
    assert later["resolved:confirmed"] == 2
    assert later[f"agent:{agent}:resolved"] == 2


def test_hand_offs_their_ends_and_who_left_before_a_person_came(tenant: Tenant) -> None:
    agent = make_user(tenant)
    for reason, end in (("complaint", "taken"), ("requested", "cancelled"), ("requested", "closed"), ("failed", "")):
        conversation = talk(tenant, NOON, [ASKED, (600, "person", agent.id)] if end == "taken" else [ASKED])
        taken = {"taken_by_id": agent.id} if end == "taken" else {}
        wait(tenant, conversation, NOON, 10, end, reason=reason, **taken)
    found = figures(tenant)
    assert {name: number for name, number in found.items() if name.startswith(("hand_off", "abandoned", "wait"))} == {
        "hand_offs:complaint": 1, "hand_offs:requested": 2, "hand_offs:failed": 1, "hand_off_ends:taken": 1,
        "hand_off_ends:cancelled": 1, "hand_off_ends:closed": 1, "abandoned:requested": 2, "wait:68": 1,
    }  # fmt: skip
    assert some(found, *(f"agent:{agent.id}:{what}" for what in ("replies", "conversations", "taken"))) == {
        f"agent:{agent.id}:replies": 1, f"agent:{agent.id}:conversations": 1, f"agent:{agent.id}:taken": 1,
    }  # fmt: skip


def test_who_answered_counts_once_in_the_day_it_began(tenant: Tenant) -> None:
    agent = make_user(tenant).id
    talk(tenant, NOON, [ASKED, ANSWERED])
    talk(tenant, NOON, [ASKED, ANSWERED, (3 * 86_400, "person", agent)])
    talk(tenant, NOON, [ASKED, (5, "ai", "refused"), (60, "person", agent)])
    talk(tenant, NOON, [ASKED])
    found = figures(tenant)
    assert some(found, *(f"answered_by:{kind}" for kind in ("ai", "mixed", "person"))) == {
        "answered_by:ai": 1, "answered_by:mixed": 1, "answered_by:person": 1,
    }  # fmt: skip
    assert not any(name.startswith("answered_by") for name in figures(tenant, DAY + timedelta(days=3)))


def test_channels_languages_and_labels_are_told_apart(tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        label = labels.create_label(name="Refund", colour="red", actor=SYSTEM).id
    for language, channel in (
        ("en", Channel.WIDGET),
        ("zh", Channel.WIDGET),
        ("zh", Channel.API),
        ("zh", Channel.BATCH),
    ):
        one = talk(tenant, NOON, [ASKED], language=language, channel=channel)
        if language == "zh":
            with tenant_atomic(tenant.id):
                triage.add_label([one], label_id=label, actor=SYSTEM)
    counts = {
        key: figures(tenant, **selection)["conversations"]
        for key, selection in {
            "all": {}, "zh": {"language": "zh"}, "api": {"channel": "api"}, "batch": {"channel": "batch"},
            "label": {"label": label}, "label and widget": {"label": label, "channel": "widget"},
            "label and en": {"label": label, "language": "en"},
        }.items()
    }  # fmt: skip
    assert counts == {"all": 3, "zh": 2, "api": 1, "batch": 0, "label": 2, "label and widget": 1, "label and en": 0}


def test_another_company_is_not_counted(tenant: Tenant) -> None:
    other = make_tenant()
    talk(other, NOON, [ASKED, ANSWERED])
    talk(tenant, NOON, [ASKED])
    assert figures(tenant)["conversations"] == 1
    assert figures(other)["answers:answered"] == 1
    with tenant_atomic(tenant.id):
        assert set(DayFigures.objects.values_list("tenant_id", flat=True)) == {tenant.id}
        assert "answers:answered" not in read(Wanted(DAY, DAY)).total


def test_an_empty_company_has_a_report_and_nothing_to_add_up(tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        assert not has_days_due()
        report = report_of(read(Wanted(DAY - timedelta(days=29), DAY)))
    assert (report.is_empty, len(report.days), report.agents) == (True, 30, ())
    assert {each.value for each in report.measures} == {0, None}
    assert adding_up.add_up_due(tenant.id) == 0


# Clocks in New York go from 02:00 to 03:00 on 8 March 2026, and from 02:00 to 01:00 on 1 November 2026.
@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 3, 9), 24)])
def test_a_day_is_the_companys_own_also_when_clocks_change(tenant: Tenant, day: date, hours: int) -> None:
    with tenant_atomic(tenant.id):
        ReportSettings.objects.create(time_zone="America/New_York")
    midnight = datetime(day.year, day.month, day.day, 5 if day < date(2026, 3, 9) else 4, tzinfo=UTC)
    for hour in range(-1, hours + 1):
        talk(tenant, midnight + timedelta(hours=hour, minutes=59), [ASKED])
    found = figures(tenant, day)
    assert found["conversations"] == hours
    counted = {int(name.removeprefix("hour:")): number for name, number in found.items() if name.startswith("hour:")}
    assert counted.get(2, 0) == (0 if hours == 23 else 1)
    assert counted[1] == (2 if hours == 25 else 1)
    assert (counted[0], counted[23], sum(counted.values())) == (1, 1, hours)


def test_changing_the_zone_adds_every_day_up_again(tenant: Tenant) -> None:
    from reports.changing import change_time_zone

    talk(tenant, datetime(2026, 3, 10, 23, 30, tzinfo=UTC), [ASKED])
    assert figures(tenant)["conversations"] == 1
    assert change_time_zone(tenant_id=tenant.id, name="Asia/Shanghai")
    assert not change_time_zone(tenant_id=tenant.id, name="Asia/Shanghai")
    add_up_days()
    with tenant_atomic(tenant.id):
        assert read(Wanted(DAY, DAY)).total == {}
        assert read(Wanted(DAY + timedelta(days=1), DAY + timedelta(days=1))).total["hour:7"] == 1


def test_today_is_counted_as_it_goes_and_yesterday_before_it_was_added_up(tenant: Tenant) -> None:
    now = timezone.now()
    talk(tenant, now - timedelta(days=1), [ASKED])
    talk(tenant, now - timedelta(seconds=1), [ASKED])
    with tenant_atomic(tenant.id):
        found = read(Wanted(now.date() - timedelta(days=6), now.date()))
    assert (found.total["conversations"], found.pending) == (2, 0)


def test_days_are_added_up_once_and_again_until_they_are_settled(tenant: Tenant) -> None:
    now = timezone.now()
    talk(tenant, now - timedelta(days=12), [ASKED])
    assert adding_up.add_up_due(tenant.id) == 12
    assert adding_up.add_up_due(tenant.id) == 0
    with tenant_atomic(tenant.id):
        assert not has_days_due()
        open_days = ReportDay.objects.filter(due_at__isnull=False).count()
        ReportDay.objects.filter(due_at__isnull=False).update(due_at=now)
        assert has_days_due()
    assert open_days == 7
    assert adding_up.add_up_due(tenant.id) == 7


def test_the_task_finds_what_is_due_of_every_company(tenant: Tenant) -> None:
    talk(tenant, timezone.now() - timedelta(days=2), [ASKED])
    OpenWork.objects.create(tenant_id=tenant.id, kind=Kind.REPORTS)
    add_up_days()
    with tenant_atomic(tenant.id):
        assert ReportDay.objects.count() == 2
    assert not OpenWork.objects.filter(kind=Kind.REPORTS).exists()


def test_a_label_that_comes_later_counts_in_the_days_before_it(tenant: Tenant) -> None:
    one = talk(tenant, NOON, [ASKED])
    with tenant_atomic(tenant.id):
        label = labels.create_label(name="Refund", colour="red", actor=SYSTEM).id
    assert figures(tenant, label=label)["conversations"] == 0
    with tenant_atomic(tenant.id):
        triage.add_label([one], label_id=label, actor=SYSTEM)
    relay_to(subscriber_named("reports"), [tenant.id])
    add_up_days()
    with tenant_atomic(tenant.id):
        assert read(Wanted(DAY, DAY, Selection(label=label))).total["conversations"] == 1


def test_a_day_whose_messages_are_gone_stays_as_it_was(tenant: Tenant) -> None:
    talk(tenant, NOON, [ASKED])
    talk(tenant, NOON + timedelta(days=4), [ASKED])
    assert figures(tenant)["messages:customer"] == 1
    with tenant_atomic(tenant.id):
        from conversations.models import Message

        Message.objects.filter(created_at__lt=NOON + timedelta(days=1)).delete()
    assert figures(tenant)["messages:customer"] == 1
    assert {day for day, _ in adding_up.rebuild(tenant.id)} >= {DAY}
    with tenant_atomic(tenant.id):
        assert read(Wanted(DAY, DAY)).total["messages:customer"] == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_add_up_the_same_day_leave_it_once(tenant: Tenant) -> None:
    talk(tenant, NOON, [ASKED, ANSWERED])

    def once(_number: int) -> None:
        try:
            adding_up.add_up(tenant.id, DAY)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(once, range(8)))
    with tenant_atomic(tenant.id):
        assert read(Wanted(DAY, DAY)).total["conversations"] == 1
        assert DayFigures.objects.filter(channel="", language="").count() == 1

"""Who is there, who gets what waits, and whose turn comes when nobody takes it."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import domain
from conversations.hand_off.alarms import raise_alarms
from conversations.intake import ask_for_person
from conversations.mails import mail_unclaimed
from conversations.models import Conversation, HandOff, HandOffReason, HandOffRules, Staffing, Team, TeamMember
from conversations.staffing import teams
from conversations.staffing.assignment import assign_waiting
from conversations.staffing.presence import AWAY, GONE, HERE, presence_of, set_away, stay
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import SYSTEM, FactKind
from helpdesk.facts.models import Fact
from helpdesk.facts.relay import owing_tenants, relay_to
from helpdesk.permissions import Role
from helpdesk.subscribers import SUBSCRIBERS
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership, User
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db
MANY = 20


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def waiting(tenant: Tenant, count: int = 1) -> list[Conversation]:
    found = [make_question(tenant)[0] for _ in range(count)]
    return [ask_for_person(tenant_id=tenant.id, visitor_id=each.visitor_id, language="en") for each in found]


def switch_on(tenant: Tenant, capacity: int = 5) -> None:
    with tenant_atomic(tenant.id):
        teams.set_assignment(assigns=True, capacity=capacity, by_person={}, actor=SYSTEM)


def here(tenant: Tenant, count: int = 1) -> list[User]:
    people = [make_user(tenant) for _ in range(count)]
    for each in people:
        stay(tenant_id=tenant.id, user_id=each.pk)
    return people


def assignees(tenant: Tenant) -> Counter[int | None]:
    with tenant_atomic(tenant.id):
        return Counter(Conversation.objects.values_list("assignee", flat=True))


def assignee(tenant: Tenant, conversation: Conversation) -> int | None:
    with tenant_atomic(tenant.id):
        return Conversation.objects.get(id=conversation.id).assignee_id


def make_team(tenant: Tenant, name: str, *people: User, reasons: tuple[str, ...] = ()) -> Team:
    with tenant_atomic(tenant.id):
        return teams.create_team(name=name, user_ids=[each.pk for each in people], reasons=reasons, actor=SYSTEM)


def due(tenant: Tenant) -> int:
    with tenant_atomic(tenant.id):
        HandOff.objects.update(alarm_at=timezone.now() - timedelta(seconds=1))
    return raise_alarms(tenant.id)


def presences(tenant: Tenant, *people: User) -> list[str]:
    with tenant_atomic(tenant.id):
        found = presence_of([each.pk for each in people])
    return [found[each.pk] for each in people]


def test_presence_runs_out_and_away_is_what_they_say(tenant: Tenant) -> None:
    one, two = here(tenant, 2)
    stranger = make_user(tenant)
    set_away(tenant_id=tenant.id, user_id=two.pk, is_away=True)
    stay(tenant_id=tenant.id, user_id=two.pk)
    assert presences(tenant, one, two, stranger) == [HERE, AWAY, GONE]
    with tenant_atomic(tenant.id):
        Staffing.objects.update(present_until=timezone.now() - timedelta(seconds=1))
    set_away(tenant_id=tenant.id, user_id=two.pk, is_away=False)
    assert presences(tenant, one, two) == [GONE, GONE]
    stay(tenant_id=tenant.id, user_id=one.pk)
    assert presences(tenant, one, two) == [HERE, GONE]


def test_nothing_is_assigned_unless_the_company_wants_it(tenant: Tenant) -> None:
    here(tenant)
    waiting(tenant)
    assert assign_waiting(tenant.id) == 0
    assert assignees(tenant) == {None: 1}


def test_each_in_turn_up_to_their_capacity(tenant: Tenant) -> None:
    switch_on(tenant, 2)
    one, two = here(tenant, 2)
    first, second, *_rest = waiting(tenant, 5)
    assert assign_waiting(tenant.id) == 4
    assert (assignee(tenant, first), assignee(tenant, second)) == (one.pk, two.pk)
    assert assignees(tenant) == {one.pk: 2, two.pk: 2, None: 1}
    assert assign_waiting(tenant.id) == 0
    with tenant_atomic(tenant.id):
        assert Conversation.objects.get(id=first.id).status == "waiting"
        facts = Fact.objects.filter(kind=FactKind.ASSIGNED, conversation_id=first.id)
        assert [(each.actor, each.data) for each in facts] == [("system", {"assignee": one.pk})]


def test_what_is_given_to_somebody_counts_in_their_title_alone(client: Client, tenant: Tenant) -> None:
    switch_on(tenant)
    [given], other = here(tenant), make_user(tenant)
    waiting(tenant)
    assign_waiting(tenant.id)
    counted = {}
    for person in (given, other):
        client.force_login(person)
        counted[person] = client.get(reverse("desk:inbox", args=[tenant.slug])).context["attention"]
    assert counted == {given: 1, other: 0}


def test_who_is_away_gone_full_or_may_not_reply_gets_nothing(tenant: Tenant) -> None:
    switch_on(tenant)
    away, gone, full, lowered, fine = here(tenant, 5)
    set_away(tenant_id=tenant.id, user_id=away.pk, is_away=True)
    with tenant_atomic(tenant.id):
        Staffing.objects.filter(user=gone).update(present_until=timezone.now())
        Staffing.objects.filter(user=full).update(capacity=0)
        lowered.memberships.filter(tenant=tenant).update(role=Role.VIEWER)
    waiting(tenant, 3)
    assign_waiting(tenant.id)
    assert assignees(tenant) == {fine.pk: 3}


def test_whoever_comes_gets_what_waits(tenant: Tenant) -> None:
    switch_on(tenant)
    waiting(tenant)
    [person] = here(tenant)
    assert assignees(tenant) == {person.pk: 1}
    waiting(tenant)
    set_away(tenant_id=tenant.id, user_id=person.pk, is_away=False)
    assert assignees(tenant) == {person.pk: 2}


def test_what_makes_room_is_a_fact_that_assigns_the_next(tenant: Tenant) -> None:
    switch_on(tenant, 1)
    [person] = here(tenant)
    first, second = waiting(tenant, 2)
    assign_waiting(tenant.id)
    domain.close_conversation(tenant_id=tenant.id, conversation_id=first.id)
    [subscriber] = [each for each in SUBSCRIBERS if each.name == "assignment"]
    assert tenant.id in owing_tenants()["assignment"]
    assert relay_to(subscriber, [tenant.id]) > 0
    assert assignee(tenant, second) == person.pk


def test_a_reason_names_a_team(tenant: Tenant) -> None:
    switch_on(tenant)
    one, two = here(tenant, 2)
    team = make_team(tenant, "Returns", two, reasons=(HandOffReason.REQUESTED,))
    waiting(tenant, 3)
    with tenant_atomic(tenant.id):
        assert set(HandOff.objects.values_list("team", flat=True)) == {team.id}
    assign_waiting(tenant.id)
    assert assignees(tenant) == {two.pk: 3}
    assert one.pk not in assignees(tenant)


def test_the_alarm_goes_to_the_next_team_and_at_the_end_to_everybody(tenant: Tenant) -> None:
    switch_on(tenant)
    one, two, three = here(tenant, 3)
    make_team(tenant, "First", one, reasons=(HandOffReason.REQUESTED,))
    second = make_team(tenant, "Second", two)
    make_team(tenant, "Nobody")
    [conversation] = waiting(tenant)
    assign_waiting(tenant.id)
    assert assignee(tenant, conversation) == one.pk
    assert due(tenant) == 1
    assert assignee(tenant, conversation) == two.pk
    with tenant_atomic(tenant.id):
        hand_off = HandOff.objects.get()
        assert (hand_off.team, hand_off.alarmed_at, hand_off.alarm_at > timezone.now()) == (second, None, True)
    assert due(tenant) == 1
    with tenant_atomic(tenant.id):
        facts = list(Fact.objects.filter(kind=FactKind.HAND_OFF_UNCLAIMED).order_by("number"))
        for fact in facts:
            mail_unclaimed(fact)
    assert [each.data["team"] for each in facts] == [str(second.id), None]
    assert [set(each.bcc) for each in mail.outbox] == [{two.email}, {one.email, two.email, three.email}]
    assert due(tenant) == 0
    assert assignee(tenant, conversation) == two.pk


def test_whoever_went_away_without_an_answer_has_it_no_longer_after_the_alarm(tenant: Tenant) -> None:
    switch_on(tenant)
    here(tenant)
    [conversation] = waiting(tenant)
    assign_waiting(tenant.id)
    with tenant_atomic(tenant.id):
        Staffing.objects.update(present_until=timezone.now())
    assert due(tenant) == 1
    assert assignee(tenant, conversation) is None
    [two] = here(tenant)
    assert assignee(tenant, conversation) == two.pk


def test_a_team_that_all_have_left_is_as_none(tenant: Tenant) -> None:
    switch_on(tenant)
    one, gone = here(tenant, 2)
    make_team(tenant, "First", one, reasons=(HandOffReason.REQUESTED,))
    second = make_team(tenant, "Second", gone)
    with tenant_atomic(tenant.id):
        Membership.objects.filter(user=gone).delete()
    [conversation] = waiting(tenant)
    assert due(tenant) == 1
    assert assignee(tenant, conversation) == one.pk
    with tenant_atomic(tenant.id):
        fact = Fact.objects.get(kind=FactKind.HAND_OFF_UNCLAIMED)
        mail_unclaimed(fact)
    assert fact.data["team"] == str(second.id)
    assert [each.bcc for each in mail.outbox] == [[one.email]]


def test_saying_again_that_one_is_back_holds_no_row(tenant: Tenant) -> None:
    [person] = here(tenant)
    places = []
    for is_away in (True, False, False):
        set_away(tenant_id=tenant.id, user_id=person.pk, is_away=is_away)
        with tenant_atomic(tenant.id):
            places += Staffing.objects.extra(select={"place": "ctid::text"}).values_list("place", flat=True)
    assert (len(places), len(set(places))) == (3, 2)


def test_a_person_of_endless_digits_is_nobody(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.ADMIN))
    answer = client.post(reverse("desk:teams", args=[tenant.slug]), {"name": "Odd", "person": ["9" * 5000]})
    assert answer.status_code == 302
    with tenant_atomic(tenant.id):
        assert not TeamMember.objects.exists()


def test_a_team_is_of_the_company(tenant: Tenant) -> None:
    theirs = make_tenant()
    stranger = make_user(theirs)
    team = make_team(theirs, "Secret", stranger)
    with tenant_atomic(tenant.id):
        assert teams.teams() == []
        for change in (teams.delete_team, teams.move_team_up):
            with pytest.raises(NotFound):
                change(team.id, actor=SYSTEM)
        with pytest.raises(NotFound):
            teams.change_team(team.id, name="Mine", user_ids=[], reasons=[], actor=SYSTEM)
        with pytest.raises(InvalidInput):
            teams.create_team(name="Odd", user_ids=[stranger.pk], reasons=[], actor=SYSTEM)
    switch_on(theirs)
    here(theirs)
    waiting(tenant)
    assign_waiting(theirs.id)
    assert assignees(tenant) == {None: 1}


def test_odd_teams_are_refused(tenant: Tenant) -> None:
    viewer = make_user(tenant, Role.VIEWER)
    make_team(tenant, "Returns")
    odd: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"name": "returns"}, Conflict),
        ({"name": " "}, InvalidInput),
        ({"name": "x" * 41}, InvalidInput),
        ({"name": "a\x07"}, InvalidInput),
        ({"reasons": ["weather"]}, InvalidInput),
        ({"user_ids": [viewer.pk]}, InvalidInput),
    ]
    for fields, error in odd:
        with tenant_atomic(tenant.id), pytest.raises(error):
            teams.create_team(**({"name": "New", "user_ids": [], "reasons": []} | fields), actor=SYSTEM)
    with tenant_atomic(tenant.id):
        with pytest.raises(InvalidInput):
            teams.set_assignment(assigns=True, capacity=101, by_person={}, actor=SYSTEM)
        assert (Team.objects.count(), HandOffRules.objects.filter(assigns=True).exists()) == (1, False)


def test_the_order_of_teams_is_that_of_their_turns(tenant: Tenant) -> None:
    made = [make_team(tenant, name) for name in ("A", "B", "C")]
    with tenant_atomic(tenant.id):
        teams.move_team_up(made[2].id, actor=SYSTEM)
        teams.move_team_up(made[0].id, actor=SYSTEM)
        assert [each.name for each in teams.teams()] == ["A", "C", "B"]
        teams.delete_team(made[0].id, actor=SYSTEM)
        assert [each.name for each in teams.teams()] == ["C", "B"]


def test_who_may_see_and_who_may_change_the_page(client: Client, tenant: Tenant) -> None:
    agent, team = make_user(tenant), make_team(tenant, "Returns")
    page, assignment = reverse("desk:teams", args=[tenant.slug]), reverse("desk:assignment", args=[tenant.slug])
    changes = [page, assignment] + [
        reverse(f"desk:{name}", args=[tenant.slug, team.id]) for name in ("change_team", "move_team_up", "delete_team")
    ]
    new = {"name": "Orders", "person": [str(agent.pk)], "reason": ["requested"], "assigns": "on", "capacity": "3"}
    for role, status in ((Role.AGENT, 200), (Role.VIEWER, 403)):
        client.force_login(make_user(tenant, role))
        assert client.get(page).status_code == status
        assert [client.post(url, new).status_code for url in changes] == [403] * 5
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert [client.post(url, new).status_code for url in changes] == [404] * 5
    client.force_login(make_user(tenant, Role.ADMIN))
    assert [client.post(page, new).status_code for _ in range(2)] == [302, 409]
    assert client.post(assignment, new | {f"capacity-{agent.pk}": "7"}).status_code == 302
    assert client.post(assignment, new | {"capacity": "many"}).status_code == 400
    assert client.post(changes[2], new | {"name": "Back"}).status_code == 302
    assert client.post(changes[3]).status_code == 302
    text = client.get(page).content.decode()
    assert ("Back" in text, "Orders" in text, 'value="7"' in text) == (True, True, True)
    assert client.post(changes[4]).status_code == 302
    with tenant_atomic(tenant.id):
        assert HandOffRules.objects.get().assigns
        assert [each.name for each in teams.teams()] == ["Orders"]
        assert list(TeamMember.objects.values_list("user", flat=True)) == [agent.pk]
        assert teams.capacities() == {agent.pk: 7}


def test_saying_that_one_is_away(client: Client, tenant: Tenant) -> None:
    agent = make_user(tenant)
    client.force_login(agent)
    url, inbox = (reverse(f"desk:{name}", args=[tenant.slug]) for name in ("presence", "inbox"))
    assert client.post(url, {"presence": "away", "next": "//evil.example"}).url == inbox
    assert presences(tenant, agent) == [AWAY]
    assert "re away: nothing new" in client.get(inbox).content.decode()
    assert 'value="here"' in client.get(url).content.decode()
    client.post(url, {"presence": "here"})
    assert presences(tenant, agent) == [GONE]
    client.force_login(make_user(tenant, Role.VIEWER))
    assert client.post(url, {"presence": "away"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_twenty_who_assign_at_once_give_each_no_more_than_their_capacity(tenant: Tenant) -> None:
    people = here(tenant, 3)
    switch_on(tenant, 2)
    waiting(tenant, 10)
    barrier = threading.Barrier(MANY)

    def assign(_number: int) -> int:
        barrier.wait()
        try:
            return assign_waiting(tenant.id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(MANY) as pool:
        assert sum(pool.map(assign, range(MANY))) == 6
    assert assignees(tenant) == {each.pk: 2 for each in people} | {None: 4}
    with tenant_atomic(tenant.id):
        assert Fact.objects.filter(kind=FactKind.ASSIGNED).count() == 6

"""Rules in a company's hands: what they do, once, in whose name, and what guards against too much."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from automation.actions import Actions
from automation.changing import MOST_RULES, Draft, delete_rule, save_rule, switch_rule
from automation.conditions import Conditions
from automation.models import Rule, RuleRun, Trigger
from automation.running import MOST_RUNS_AN_HOUR, run_rules
from automation.trying import try_out
from conversations.inbox import labels, triage
from conversations.models import Conversation, HandOff, Message, Note, Priority
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import SYSTEM, ActorKind, FactKind
from helpdesk.facts.models import Fact
from helpdesk.facts.relay import relay_to
from helpdesk.facts.subscribing import subscriber_named
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def rule(tenant: Tenant, trigger: Trigger = Trigger.WROTE, do: dict[str, Any] | None = None, **conditions: Any) -> Rule:
    draft = Draft("Rule", trigger, Conditions(**conditions), Actions(**do or {"priority": "high"}))
    return save_rule(tenant_id=tenant.id, draft=draft)


def settle(tenant: Tenant) -> None:
    """Deliver what is owed to the rules, also what they cause."""
    for _ in range(3):
        relay_to(subscriber_named("automation"), [tenant.id])


def ask(tenant: Tenant, body: str = "I want a refund", **fields: Any) -> uuid.UUID:
    conversation = make_question(tenant, body, **fields)[0]
    settle(tenant)
    return conversation.id


def row(tenant: Tenant, conversation_id: uuid.UUID) -> Conversation:
    with tenant_atomic(tenant.id):
        return Conversation.objects.get(id=conversation_id)  # type: ignore[no-any-return]


def runs(tenant: Tenant) -> list[tuple[str, list[str]]]:
    with tenant_atomic(tenant.id):
        return list(RuleRun.objects.order_by("at").values_list("outcome", "steps"))


def test_a_rule_does_all_that_it_says_in_its_own_name(tenant: Tenant) -> None:
    agent = make_user(tenant)
    with tenant_atomic(tenant.id):
        label = labels.create_label(name="Refund", colour="red", actor=SYSTEM).id
    do = {"label": str(label), "priority": "urgent", "note": "Check the order", "assign": agent.id, "hand_off": True}
    made = rule(tenant, do=do, words=("refund",))
    conversation = ask(tenant)
    found = row(tenant, conversation)
    assert (found.priority, found.assignee_id, found.status) == ("urgent", agent.id, "waiting")
    with tenant_atomic(tenant.id):
        assert [note.by_rule for note in Note.objects.all()] == [True]
        assert HandOff.objects.get().reason == "rule"
        assert Message.objects.filter(body="hand_off_rule").exists()
        caused = Fact.objects.filter(actor=ActorKind.RULE).values_list("kind", "actor_id")
        assert set(caused) == {
            (kind, str(made.id))
            for kind in (
                FactKind.LABELLED, FactKind.PRIORITY_CHANGED, FactKind.NOTE_ADDED, FactKind.ASSIGNED, FactKind.STATUS_CHANGED,
            )
        }  # fmt: skip
    assert runs(tenant) == [("done", ["label", "priority", "note", "assign", "hand_off"])]
    assert row(tenant, ask(tenant, "Where is my order?")).priority == "normal"


def test_closing_by_a_rule_is_said_so(tenant: Tenant) -> None:
    rule(tenant, do={"end": "close"})
    conversation = ask(tenant)
    assert row(tenant, conversation).status == "closed"
    with tenant_atomic(tenant.id):
        assert Message.objects.latest("position").body == "closed_by_rule"


@pytest.mark.parametrize(("end", "parked"), [("pending", "pending"), ("snooze_24", "snoozed")])
def test_a_rule_sets_aside(tenant: Tenant, end: str, parked: str) -> None:
    rule(tenant, do={"end": end})
    found = row(tenant, ask(tenant))
    assert found.parked == parked
    assert (found.wakes_at is not None) == (parked == "snoozed")


def test_a_fact_that_comes_twice_runs_a_rule_once(tenant: Tenant) -> None:
    rule(tenant, do={"note": "Once"})
    ask(tenant)
    with tenant_atomic(tenant.id):
        run_rules(Fact.objects.filter(kind=FactKind.MESSAGE_POSTED).first())
        assert Note.objects.count() == 1
    assert len(runs(tenant)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_at_once_run_a_rule_once(tenant: Tenant) -> None:
    rule(tenant, do={"note": "Once"})
    make_question(tenant)
    with tenant_atomic(tenant.id):
        fact = Fact.objects.filter(kind=FactKind.MESSAGE_POSTED).first()

    def once(_number: int) -> None:
        try:
            with tenant_atomic(tenant.id):
                run_rules(fact)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(once, range(8)))
    assert len(runs(tenant)) == 1


def test_rules_do_not_set_each_other_off(tenant: Tenant) -> None:
    rule(tenant, Trigger.WROTE, {"priority": "high"})
    rule(tenant, Trigger.PRIORITY, {"priority": "urgent"})
    conversation = ask(tenant)
    assert (row(tenant, conversation).priority, len(runs(tenant))) == ("high", 1)
    with tenant_atomic(tenant.id):
        triage.set_priority([conversation], priority=Priority.LOW, actor=SYSTEM)
    settle(tenant)
    assert row(tenant, conversation).priority == "urgent"


def test_a_conversation_has_only_so_many_runs_an_hour(tenant: Tenant) -> None:
    rule(tenant, do={"note": "Again"})
    visitor = row(tenant, ask(tenant)).visitor_id
    for number in range(MOST_RUNS_AN_HOUR + 1):
        make_question(tenant, f"And {number}?", visitor_id=visitor)
    settle(tenant)
    outcomes = [outcome for outcome, _ in runs(tenant)]
    assert (outcomes.count("done"), outcomes.count("limited")) == (MOST_RUNS_AN_HOUR, 2)
    with tenant_atomic(tenant.id):
        assert Note.objects.count() == MOST_RUNS_AN_HOUR
        RuleRun.objects.update(at=RuleRun.objects.first().at - timedelta(hours=2))
    make_question(tenant, "Later", visitor_id=visitor)
    settle(tenant)
    with tenant_atomic(tenant.id):
        assert Note.objects.count() == MOST_RUNS_AN_HOUR + 1


def test_a_rule_that_cannot_do_it_all_does_nothing_and_says_so(tenant: Tenant) -> None:
    outsider = make_user(make_tenant())
    rule(tenant, do={"priority": "high", "assign": outsider.id})
    conversation = ask(tenant)
    assert row(tenant, conversation).priority == "normal"
    assert [outcome for outcome, _ in runs(tenant)] == ["failed"]


def test_rules_run_in_their_order_and_see_what_the_one_before_did(tenant: Tenant) -> None:
    rule(tenant, do={"priority": "urgent"})
    rule(tenant, do={"note": "Urgent!"}, priority="urgent")
    ask(tenant)
    assert [steps for _, steps in runs(tenant)] == [["priority"], ["note"]]


def test_what_is_switched_off_or_deleted_does_not_run(tenant: Tenant) -> None:
    off, gone = rule(tenant), rule(tenant)
    switch_rule(tenant_id=tenant.id, rule_id=off.id, is_active=False)
    delete_rule(tenant_id=tenant.id, rule_id=gone.id)
    ask(tenant)
    assert runs(tenant) == []


def test_another_companys_rules_do_not_run_and_cannot_be_changed(tenant: Tenant) -> None:
    other = make_tenant()
    theirs = rule(other)
    assert row(tenant, ask(tenant)).priority == "normal"
    for change in (
        lambda: switch_rule(tenant_id=tenant.id, rule_id=theirs.id, is_active=False),
        lambda: delete_rule(tenant_id=tenant.id, rule_id=theirs.id),
        lambda: save_rule(
            tenant_id=tenant.id, rule_id=theirs.id, draft=Draft("x", Trigger.WROTE, Conditions(), Actions(end="close"))
        ),
    ):
        with pytest.raises(NotFound):
            change()
    assert row(other, ask(other)).priority == "high"


def test_there_are_only_so_many_rules_and_none_that_does_nothing(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput):
        save_rule(tenant_id=tenant.id, draft=Draft("x", Trigger.WROTE, Conditions(), Actions()))
    for _ in range(MOST_RULES):
        rule(tenant)
    with pytest.raises(Conflict):
        rule(tenant)


@pytest.mark.parametrize("trigger", list(Trigger))
def test_every_beginning_can_be_tried_on_the_past(tenant: Tenant, trigger: Trigger) -> None:
    make_question(tenant, "I want a refund")
    make_question(make_tenant(), "I want a refund")
    with tenant_atomic(tenant.id):
        found = try_out(trigger, Conditions(words=("refund",)))
    expected = 1 if trigger in {Trigger.STARTED, Trigger.WROTE} else 0
    assert (found.held, found.conversations) == (expected, expected)


def test_trying_counts_and_changes_nothing(tenant: Tenant) -> None:
    for body in ("I want a refund", "A refund!", "Where is my order?"):
        make_question(tenant, body)
    with tenant_atomic(tenant.id):
        found = try_out(Trigger.WROTE, Conditions(words=("refund",)))
        assert (found.tried, found.held, found.conversations, len(found.examples)) == (3, 2, 2, 2)
        assert not RuleRun.objects.exists()
        assert not Conversation.objects.exclude(priority="normal").exists()


FORM = {"name": "Refunds", "trigger": "wrote", "words": "refund，退款, refund", "do_priority": "high"}


def url(tenant: Tenant, what: str = "") -> str:
    return f"/desk/{tenant.slug}/rules/{what}"


def test_only_who_manages_sees_and_changes_rules(client: Client, tenant: Tenant) -> None:
    made = rule(tenant)
    paths = ["", "new/", f"{made.id}/"]
    for role in (Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER):
        client.force_login(make_user(tenant, role))
        assert {client.get(url(tenant, path)).status_code for path in paths} == {403}
        posts = ["new/", f"{made.id}/", f"{made.id}/switch/", f"{made.id}/delete/"]
        assert {client.post(url(tenant, path), FORM).status_code for path in posts} == {403}
    other = make_tenant()
    client.force_login(make_user(other, Role.OWNER))
    assert {client.get(url(tenant, path)).status_code for path in paths} == {404}
    assert client.get(url(other, f"{made.id}/")).status_code == 404
    client.force_login(make_user(tenant, Role.ADMIN))
    assert {client.get(url(tenant, path)).status_code for path in paths} == {200}


def test_a_rule_is_written_tried_saved_and_read_back(client: Client, tenant: Tenant) -> None:
    make_question(tenant, "我要退款", language="zh")
    client.force_login(make_user(tenant, Role.OWNER))
    tried = client.post(url(tenant, "new/"), FORM | {"try": "1"})
    assert (tried.status_code, tried.context["trial"].conversations) == (200, 1)
    with tenant_atomic(tenant.id):
        assert not Rule.objects.exists()
    assert client.post(url(tenant, "new/"), FORM).status_code == 302
    with tenant_atomic(tenant.id):
        made = Rule.objects.get()
    assert (made.conditions, made.actions) == ({"words": ["refund", "退款"]}, {"priority": "high"})
    assert client.get(url(tenant, f"{made.id}/")).context["form"]["words"].value() == "refund, 退款"
    settle(tenant)
    make_question(tenant, "Refund?")
    settle(tenant)
    [shown] = client.get(url(tenant)).context["rules"]
    assert shown.runs >= 1
    assert client.get(url(tenant, f"{made.id}/")).context["runs"][0].is_good
    client.post(url(tenant, f"{made.id}/switch/"))
    with tenant_atomic(tenant.id):
        assert not Rule.objects.get().is_active
    client.post(url(tenant, f"{made.id}/delete/"))
    with tenant_atomic(tenant.id):
        assert not Rule.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"trigger": "never"}, {"do_priority": ""}, {"do_assign": "7"}, {"do_label": "x"}, {"language": "fr"},
     {"do_end": "explode"}],
)  # fmt: skip
def test_what_cannot_be_a_rule_comes_back(client: Client, tenant: Tenant, wrong: dict[str, str]) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    assert client.post(url(tenant, "new/"), FORM | wrong).status_code == 400
    with tenant_atomic(tenant.id):
        assert not Rule.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_as_many_queries_however_many_rules(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        rule(tenant)
    client.force_login(make_user(tenant, Role.OWNER))
    client.get(url(tenant))
    with django_assert_num_queries(13):
        client.get(url(tenant))

"""When a rule's conditions hold, and which facts begin one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from automation.actions import Actions
from automation.conditions import Conditions, Happening, contains
from automation.models import Trigger
from automation.triggers import may_start, triggers_of
from helpdesk.facts.kinds import ActorKind, FactKind
from helpdesk.facts.models import Fact
from tests.unit.automation import LABEL

SEEN = Happening(
    language="zh", channel="widget", priority="high", labels=frozenset({LABEL}), reason="complaint",
    text="I want a refund for order 7", is_open=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "holds"),
    [
        ({}, True), ({"language": "zh"}, True), ({"language": "en"}, False), ({"channel": "api"}, False),
        ({"priority": "high", "reason": "complaint"}, True), ({"reason": "requested"}, False), ({"label": LABEL}, True),
        ({"label": LABEL.replace("1", "2")}, False), ({"hours": "open"}, True), ({"hours": "closed"}, False),
        ({"words": ("invoice", "REFUND")}, True), ({"words": ("invoice",)}, False),
        ({"language": "zh", "words": ("invoice",)}, False),
    ],
)  # fmt: skip
def test_all_that_is_asked_for_has_to_hold(fields: dict[str, Any], holds: bool) -> None:
    assert Conditions(**fields).hold(SEEN) is holds


@pytest.mark.parametrize(
    ("text", "word", "found"),
    [
        ("A refund, please", "refund", True), ("refunded already", "refund", False), ("prerefund", "refund", False),
        ("I'd like my money back!", "money  back", True), ("我要退款！", "退款", True), ("我要退款", "退货", False),
        ("ＲＥＦＵＮＤ", "refund", True), ("refunds and a refund", "refund", True), ("anything", "", False), ("", "x", False),
        ("退款refund", "refund", True), ("order 77", "7", False),
    ],
)  # fmt: skip
def test_words_are_found_as_words(text: str, word: str, found: bool) -> None:
    assert contains(text, [word]) is found


def test_what_is_stored_is_read_back_and_what_is_unknown_is_left_out() -> None:
    conditions = Conditions(language="zh", words=("a", "b"), hours="open")
    assert conditions.stored() == {"language": "zh", "words": ["a", "b"], "hours": "open"}
    assert Conditions.read(conditions.stored() | {"newer": 1}) == conditions
    actions = Actions(assign=7, end="close")
    assert Actions.read(actions.stored() | {"newer": 1}) == actions
    assert replace(actions, assign=0, end="").stored() == {}


def fact(kind: FactKind, actor: ActorKind = ActorKind.CUSTOMER, **data: Any) -> Fact:
    return Fact(kind=kind, actor=actor, data=data, conversation_id=LABEL, tenant_id=LABEL, lane=LABEL)


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        (fact(FactKind.MESSAGE_POSTED, author="customer", position=1), [Trigger.STARTED, Trigger.WROTE]),
        (fact(FactKind.MESSAGE_POSTED, author="customer", position=3), [Trigger.WROTE]),
        (fact(FactKind.MESSAGE_POSTED, ActorKind.AI, author="ai", position=2), []),
        (fact(FactKind.STATUS_CHANGED, status="waiting"), [Trigger.WAITING]),
        (fact(FactKind.STATUS_CHANGED, status="person"), []),
        (fact(FactKind.STATUS_CHANGED, status="closed"), [Trigger.CLOSED]),
        (fact(FactKind.FEEDBACK_GIVEN, rating="down"), [Trigger.RATED_DOWN]),
        (fact(FactKind.FEEDBACK_GIVEN, rating="up"), []),
        (fact(FactKind.FEEDBACK_GIVEN, ActorKind.USER, rating="down"), []),
        (fact(FactKind.ASSIGNED, ActorKind.USER, assignee=None), []),
        (fact(FactKind.ASSIGNED, ActorKind.USER, assignee=7), [Trigger.ASSIGNED]),
        (fact(FactKind.CLOCK_BREACHED, ActorKind.SYSTEM), [Trigger.OVERDUE]),
        (fact(FactKind.TRACE_READ, ActorKind.USER), []),
    ],
)
def test_what_begins_with_a_fact(given: Fact, begins: list[Trigger]) -> None:
    assert (triggers_of(given), may_start(given)) == (begins, bool(begins))


@pytest.mark.parametrize("kind", [FactKind.LABELLED, FactKind.PRIORITY_CHANGED, FactKind.ASSIGNED])
def test_what_a_rule_did_begins_no_rule(kind: FactKind) -> None:
    assert triggers_of(fact(kind, ActorKind.USER, assignee=7))
    assert not triggers_of(fact(kind, ActorKind.RULE, assignee=7))

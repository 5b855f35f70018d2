"""Which facts begin which rules. What a rule did begins none: that is the guard against rules that set each other off."""

from __future__ import annotations

from typing import Any

from automation.models import Trigger
from conversations.models import Author, ConversationStatus, Rating
from helpdesk.facts.kinds import ActorKind, FactKind
from helpdesk.facts.models import Fact

STARTS = frozenset(
    {
        FactKind.MESSAGE_POSTED,
        FactKind.STATUS_CHANGED,
        FactKind.HAND_OFF_UNCLAIMED,
        FactKind.CLOCK_BREACHED,
        FactKind.FEEDBACK_GIVEN,
        FactKind.LABELLED,
        FactKind.PRIORITY_CHANGED,
        FactKind.ASSIGNED,
    }
)


def may_start(fact: Fact) -> bool:
    """Whether a rule could begin with it."""
    return fact.conversation_id is not None and bool(triggers_of(fact))


def triggers_of(fact: Fact) -> list[Trigger]:
    """What begins with it, without a look at the database."""
    if fact.actor == ActorKind.RULE:
        return []
    data = fact.data
    found: dict[str, list[Trigger]] = {
        FactKind.MESSAGE_POSTED: _of_message(data),
        FactKind.STATUS_CHANGED: _BY_STATUS.get(data.get("status", ""), []),
        FactKind.HAND_OFF_UNCLAIMED: [Trigger.UNCLAIMED],
        FactKind.CLOCK_BREACHED: [Trigger.OVERDUE],
        FactKind.FEEDBACK_GIVEN: [Trigger.RATED_DOWN] if _is_thumb_down(fact) else [],
        FactKind.LABELLED: [Trigger.LABELLED],
        FactKind.PRIORITY_CHANGED: [Trigger.PRIORITY],
        FactKind.ASSIGNED: [Trigger.ASSIGNED] if data.get("assignee") is not None else [],
    }
    return found.get(fact.kind, [])


_BY_STATUS: dict[str, list[Trigger]] = {
    ConversationStatus.WAITING: [Trigger.WAITING],
    ConversationStatus.CLOSED: [Trigger.CLOSED],
}


def _of_message(data: dict[str, Any]) -> list[Trigger]:
    if data.get("author") != Author.CUSTOMER:
        return []
    return [Trigger.STARTED, Trigger.WROTE] if data.get("position") == 1 else [Trigger.WROTE]


def _is_thumb_down(fact: Fact) -> bool:
    return fact.actor == ActorKind.CUSTOMER and bool(fact.data.get("rating") == Rating.DOWN)

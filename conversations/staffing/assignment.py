"""Giving customers who wait to the people who are there: in turn, each up to their capacity, first those of the reason's team.

Off unless a company switches it on. Assigning does not take a conversation over: whoever has it still has to reply, and the
alarm goes on running.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from conversations.models import (
    IS_OPEN,
    Conversation,
    ConversationStatus,
    HandOff,
    HandOffRules,
    Parked,
    Staffing,
    TeamMember,
)
from helpdesk.facts.kinds import SYSTEM, FactKind
from helpdesk.facts.models import Fact
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.tenants.scope import current_tenant_id, tenant_atomic
from helpdesk.users.queries import people_with

MOST_AT_ONCE = 100
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# What may leave somebody with room, or a conversation without anybody.
MAKES_ROOM = frozenset({FactKind.STATUS_CHANGED, FactKind.STAGE_CHANGED, FactKind.ASSIGNED})
IS_WAITING_FOR_ANYBODY = Q(status=ConversationStatus.WAITING, assignee__isnull=True, parked=Parked.NO)


@dataclass(slots=True)
class _Free:
    """Somebody who is there, with room for so many more."""

    user_id: int
    room: int
    last: datetime


def assign_after(fact: Fact) -> None:
    """Something changed that may make an assignment possible; again is the same as once."""
    assign_waiting(current_tenant_id())


def assign_waiting(tenant_id: UUID) -> int:
    """Give what waits to whoever is there and has room, the longest wait first; returns how many conversations.

    Under the lock of the company's rules, so that of many at once each sees what the one before gave. Each conversation is
    given by one conditional update: who takes it meanwhile keeps it. Not inside a transaction that has a conversation locked.
    """
    with tenant_atomic(tenant_id):
        rules: HandOffRules | None = HandOffRules.objects.filter(assigns=True).select_for_update().first()
        if rules is None:
            return 0
        rows = Conversation.objects.filter(IS_WAITING_FOR_ANYBODY).order_by("waiting_since", "id")
        ids = list(rows.values_list("id", flat=True)[:MOST_AT_ONCE])
        may_reply = [each.pk for each in people_with(Right.REPLY)] if ids else []
        free = _free(rules, may_reply) if ids else []
        teams = _teams_of(ids, may_reply) if free else {}
        given = 0
        for conversation_id in ids:
            fitting = [each for each in free if each.room > 0 and _may_have(each, teams.get(conversation_id))]
            if fitting and _give(conversation_id, min(fitting, key=lambda each: (each.last, each.user_id))):
                given += 1
        return given


def _give(conversation_id: UUID, to: _Free) -> bool:
    rows = Conversation.objects.filter(IS_WAITING_FOR_ANYBODY, id=conversation_id)
    if not rows.update(assignee=to.user_id):
        return False
    to.room, to.last = to.room - 1, timezone.now()
    Staffing.objects.filter(user=to.user_id).update(assigned_at=to.last)
    record(FactKind.ASSIGNED, conversation_id=conversation_id, actor=SYSTEM, assignee=to.user_id)
    return True


def _free(rules: HandOffRules, may_reply: list[int]) -> list[_Free]:
    """Who is there, with what they have already: conversations that they are to answer, not what the AI answers."""
    here = Staffing.objects.filter(user__in=may_reply, is_away=False, present_until__gt=timezone.now())
    held = Conversation.objects.filter(
        IS_OPEN, status__in=[ConversationStatus.WAITING, ConversationStatus.PERSON], assignee__in=may_reply
    )
    loads: dict[int, int] = dict(held.order_by().values_list("assignee").annotate(number=Count("id")))
    return [
        _Free(each.user_id, _capacity(each, rules) - loads.get(each.user_id, 0), each.assigned_at or LONG_AGO)
        for each in here
    ]


def _capacity(staffing: Staffing, rules: HandOffRules) -> int:
    return int(rules.capacity if staffing.capacity is None else staffing.capacity)


def _teams_of(conversation_ids: list[UUID], may_reply: list[int]) -> dict[UUID, frozenset[int]]:
    """The people of the team whose turn it is, by conversation; a team without people, or that all have left, is as none."""
    waits = HandOff.objects.filter(conversation__in=conversation_ids, ended_at__isnull=True, team__isnull=False)
    team_of: dict[UUID, UUID] = dict(waits.values_list("conversation", "team"))
    people: dict[UUID, set[int]] = {}
    members = TeamMember.objects.filter(team__in=set(team_of.values()), user__in=may_reply)
    for team_id, user_id in members.values_list("team", "user"):
        people.setdefault(team_id, set()).add(user_id)
    return {each: frozenset(people[team]) for each, team in team_of.items() if team in people}


def _may_have(person: _Free, team: frozenset[int] | None) -> bool:
    return team is None or person.user_id in team

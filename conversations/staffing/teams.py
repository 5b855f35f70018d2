"""The company's teams and the capacity of its people. Runs inside `tenant_atomic`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from conversations.models import HandOffReason, HandOffRules, Staffing, Team, TeamMember
from conversations.models.staffing import MOST_CAPACITY
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.users.acting import needs
from helpdesk.users.queries import people_with

MOST_TEAMS = 50
NAME_CHARACTERS = 40


def teams() -> list[Team]:
    """All of them in the order of their turns, with their people."""
    return list(Team.objects.prefetch_related("members"))


def capacities() -> dict[int, int]:
    """Those that differ from the company's usual one, by person."""
    return dict(Staffing.objects.filter(capacity__isnull=False).values_list("user", "capacity"))


@needs(Right.MANAGE_INBOX)
def create_team(*, name: str, user_ids: Iterable[int], reasons: Sequence[str], actor: Actor) -> Team:
    """Add one behind the others. Raises InvalidInput, or Conflict for a name that there is."""
    if Team.objects.count() >= MOST_TEAMS:
        raise InvalidInput(_("You have %(most)d teams, which is the limit. Delete one first.") % {"most": MOST_TEAMS})
    last = Team.objects.aggregate(last=Max("position"))["last"]
    team = Team(position=0 if last is None else last + 1)
    _store(team, name, user_ids, reasons)
    record(FactKind.TEAM_CREATED, subject_id=team.id, actor=actor)
    return team


@needs(Right.MANAGE_INBOX)
def change_team(team_id: UUID, *, name: str, user_ids: Iterable[int], reasons: Sequence[str], actor: Actor) -> Team:
    """Raises InvalidInput, NotFound, or Conflict for a name that there is."""
    team = _locked(team_id)
    _store(team, name, user_ids, reasons)
    record(FactKind.TEAM_CHANGED, subject_id=team.id, actor=actor)
    return team


@needs(Right.MANAGE_INBOX)
def move_team_up(team_id: UUID, *, actor: Actor) -> None:
    """Have it come before the one that stands before it. Raises NotFound."""
    ordered = list(Team.objects.select_for_update(no_key=True).order_by("position", "id"))
    at = next((index for index, each in enumerate(ordered) if each.id == team_id), None)
    if at is None:
        raise NotFound
    if at:
        ordered[at - 1], ordered[at] = ordered[at], ordered[at - 1]
        for position, each in enumerate(ordered):
            each.position = position
        Team.objects.bulk_update(ordered, ["position"])
        record(FactKind.TEAM_CHANGED, subject_id=team_id, actor=actor)


@needs(Right.MANAGE_INBOX)
def delete_team(team_id: UUID, *, actor: Actor) -> None:
    """What waits for it waits for everybody. Raises NotFound."""
    _locked(team_id).delete()
    record(FactKind.TEAM_DELETED, subject_id=team_id, actor=actor)


@needs(Right.MANAGE_INBOX)
def set_assignment(*, assigns: bool, capacity: int, by_person: dict[int, int | None], actor: Actor) -> None:
    """Whether the desk assigns what waits by itself, and for how many at once each person is there. Raises InvalidInput."""
    for number in (capacity, *(each for each in by_person.values() if each is not None)):
        if not 0 <= number <= MOST_CAPACITY:
            raise InvalidInput(_("A capacity is a number from 0 to %(most)d.") % {"most": MOST_CAPACITY})
    rules: HandOffRules = HandOffRules.objects.select_for_update().get_or_create()[0]
    rules.assigns, rules.capacity = assigns, capacity
    rules.save(update_fields=["assigns", "capacity"])
    may_reply = {each.pk for each in people_with(Right.REPLY)}
    for user_id, own in by_person.items():
        if user_id in may_reply:
            Staffing.objects.get_or_create(user_id=user_id)
            Staffing.objects.filter(user=user_id).update(capacity=own)
    record(FactKind.ASSIGNMENT_CHANGED, subject_id=rules.id, actor=actor, assigns=int(assigns), capacity=capacity)


def _locked(team_id: UUID) -> Team:
    team: Team | None = Team.objects.select_for_update(no_key=True).filter(id=team_id).first()
    if team is None:
        raise NotFound
    return team


def _store(team: Team, name: str, user_ids: Iterable[int], reasons: Sequence[str]) -> None:
    team.name = _clean_name(name)
    if not set(reasons) <= set(HandOffReason.values):
        raise InvalidInput
    team.reasons = sorted(set(reasons))
    wanted = set(user_ids)
    if not wanted <= {each.pk for each in people_with(Right.REPLY)}:
        raise InvalidInput(_("Choose a teammate who can reply to customers."))
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError as error:
        raise Conflict(_("A team with this name already exists.")) from error
    TeamMember.objects.filter(team=team).exclude(user__in=wanted).delete()
    new = [TeamMember(team=team, user_id=user_id) for user_id in sorted(wanted)]
    TeamMember.objects.bulk_create(new, ignore_conflicts=True)


def _clean_name(raw: str) -> str:
    name = " ".join(raw.split())
    if not name or len(name) > NAME_CHARACTERS or any(unicodedata.category(c) in {"Cc", "Cs"} for c in name):
        raise InvalidInput(_("A team's name has 1 to %(most)d characters.") % {"most": NAME_CHARACTERS})
    return name

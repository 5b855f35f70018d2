"""Rules and their runs in words. Runs inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automation.actions import Actions, Ending
from automation.conditions import OPEN, Conditions
from automation.models import Rule, RuleRun, RunOutcome, Trigger
from conversations.models import Channel, HandOffReason, Label, Priority
from conversations.words import visitor_name
from helpdesk.tenants.models import Language
from helpdesk.users.models import User

RUNS_PER_PAGE = 50
STEPS: dict[str, str | Promise] = {
    "label": gettext_lazy("label added"),
    "priority": gettext_lazy("priority set"),
    "note": gettext_lazy("note added"),
    "assign": gettext_lazy("assigned"),
    "hand_off": gettext_lazy("handed off"),
    "end": gettext_lazy("closed or set aside"),
    "invalid": gettext_lazy("the teammate can't reply to customers any more"),
    "not_found": gettext_lazy("the label was deleted"),
}


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule in the list, with how often it ran in the last days."""

    id: UUID
    name: str
    is_active: bool
    when: str
    conditions: list[str]
    actions: list[str]
    runs: int
    failures: int
    last_at: Any


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A line of a rule's log."""

    conversation_id: UUID
    visitor: str
    at: Any
    outcome: str
    words: str
    is_good: bool


def shown_rules() -> list[ShownRule]:
    """All of the company, in their order, in four queries."""
    recent = timezone.now() - timedelta(days=30)
    rows = Rule.objects.annotate(
        run_count=Count("runs", filter=Q(runs__at__gte=recent)),
        failed=Count("runs", filter=Q(runs__at__gte=recent, runs__outcome__in=[RunOutcome.FAILED, RunOutcome.LIMITED])),
        last_at=Max("runs__at"),
    )
    labels = {str(key): name for key, name in Label.objects.values_list("id", "name")}
    rules = list(rows.order_by("position", "created_at"))
    people = _people(Actions.read(rule.actions).assign for rule in rules)
    return [
        ShownRule(
            id=rule.id,
            name=rule.name,
            is_active=rule.is_active,
            when=str(Trigger(rule.trigger).label),
            conditions=conditions_in_words(Conditions.read(rule.conditions), labels),
            actions=actions_in_words(Actions.read(rule.actions), labels, people),
            runs=rule.run_count,
            failures=rule.failed,
            last_at=rule.last_at,
        )
        for rule in rules
    ]


def shown_runs(rule_id: UUID, *, page: int) -> tuple[list[ShownRun], bool]:
    """A page of the log, the newest first, and whether there are more."""
    rows = RuleRun.objects.filter(rule_id=rule_id).select_related("conversation").order_by("-at", "-id")
    first = (page - 1) * RUNS_PER_PAGE
    found = list(rows[first : first + RUNS_PER_PAGE + 1])
    shown = [
        ShownRun(
            conversation_id=run.conversation_id,
            visitor=visitor_name(run.conversation.visitor_id),
            at=run.at,
            outcome=str(RunOutcome(run.outcome).label),
            words=", ".join(str(STEPS.get(step, step)) for step in run.steps),
            is_good=run.outcome in {RunOutcome.DONE, RunOutcome.NOTHING},
        )
        for run in found[:RUNS_PER_PAGE]
    ]
    return shown, len(found) > RUNS_PER_PAGE


def conditions_in_words(conditions: Conditions, labels: dict[str, str]) -> list[str]:
    """Each that asks for something."""
    gone = _("a deleted label")
    found = [
        str(Language(conditions.language).label) if conditions.language else "",
        str(Channel(conditions.channel).label) if conditions.channel else "",
        _("priority: %(name)s") % {"name": Priority(conditions.priority).label} if conditions.priority else "",
        _("label: %(name)s") % {"name": labels.get(conditions.label, gone)} if conditions.label else "",
        str(HandOffReason(conditions.reason).label) if conditions.reason else "",
        _("contains: %(words)s") % {"words": ", ".join(conditions.words)} if conditions.words else "",
    ]
    if conditions.hours:
        found.append(_("inside business hours") if conditions.hours == OPEN else _("outside business hours"))
    return [each for each in found if each]


def actions_in_words(actions: Actions, labels: dict[str, str], people: dict[int, str]) -> list[str]:
    """Each that does something."""
    gone = _("a deleted label")
    found = [
        _("add label %(name)s") % {"name": labels.get(actions.label, gone)} if actions.label else "",
        _("set priority %(name)s") % {"name": Priority(actions.priority).label} if actions.priority else "",
        _("add a private note") if actions.note else "",
        _("assign to %(name)s") % {"name": people.get(actions.assign) or _("A person")} if actions.assign else "",
        _("hand off to a person") if actions.hand_off else "",
        str(Ending(actions.end).label) if actions.end else "",
    ]
    return [each for each in found if each]


def _people(ids: Any) -> dict[int, str]:
    return {user.id: str(user) for user in User.objects.filter(id__in=[each for each in ids if each])}

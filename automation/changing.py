"""Making, changing and deleting rules."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max
from django.utils.translation import gettext as _

from automation.actions import Actions
from automation.conditions import Conditions
from automation.models import Rule, Trigger
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs

MOST_RULES = 50


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as somebody wrote it."""

    name: str
    trigger: Trigger
    conditions: Conditions
    actions: Actions


@needs(Right.MANAGE_AUTOMATION)
def save_rule(*, tenant_id: UUID, draft: Draft, rule_id: UUID | None = None, actor: Actor = SYSTEM) -> Rule:
    """Store it, as a new one behind the others without an id. Raises InvalidInput, NotFound, or Conflict for one too many."""
    if not draft.actions.stored():
        raise InvalidInput(_("Choose at least one thing that the rule does."), parameter="actions")
    with tenant_atomic(tenant_id):
        values = {
            "name": draft.name, "trigger": draft.trigger, "conditions": draft.conditions.stored(),
            "actions": draft.actions.stored(),
        }  # fmt: skip
        if rule_id is not None:
            rule = _locked(rule_id)
            for name, value in values.items():
                setattr(rule, name, value)
            rule.save(update_fields=list(values))
        else:
            last = Rule.objects.aggregate(last=Max("position"))["last"]
            if Rule.objects.count() >= MOST_RULES:
                raise Conflict(_("You have %(most)d rules. Delete one first.") % {"most": MOST_RULES})
            rule = Rule.objects.create(**values, position=(last or 0) + 1)
        change = "changed" if rule_id else "created"
        record(FactKind.RULE_CHANGED, subject_id=rule.id, actor=actor, change=change)
        return rule


@needs(Right.MANAGE_AUTOMATION)
def switch_rule(*, tenant_id: UUID, rule_id: UUID, is_active: bool, actor: Actor = SYSTEM) -> None:
    """Let it run, or not. Raises NotFound."""
    with tenant_atomic(tenant_id):
        rule = _locked(rule_id)
        if rule.is_active != is_active:
            Rule.objects.filter(id=rule_id).update(is_active=is_active)
            record(FactKind.RULE_CHANGED, subject_id=rule_id, actor=actor, change="changed")


@needs(Right.MANAGE_AUTOMATION)
def delete_rule(*, tenant_id: UUID, rule_id: UUID, actor: Actor = SYSTEM) -> None:
    """Delete it with its log. Raises NotFound."""
    with tenant_atomic(tenant_id):
        _locked(rule_id).delete()
        record(FactKind.RULE_CHANGED, subject_id=rule_id, actor=actor, change="deleted")


def _locked(rule_id: UUID) -> Rule:
    rule: Rule | None = Rule.objects.select_for_update().filter(id=rule_id).first()
    if rule is None:
        raise NotFound
    return rule

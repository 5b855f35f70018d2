"""Changing when the assistant hands over, and when an unclaimed hand-off is an alarm."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from conversations.models import HandOffRules
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs


@needs(Right.EDIT_ASSISTANT)
def change_hand_off_rules(*, tenant_id: UUID, values: dict[str, Any], actor: Actor = SYSTEM) -> bool:
    """Store these of the rules; False when they are what they were. What waits already keeps the time that it was given."""
    with tenant_atomic(tenant_id):
        rules: HandOffRules = HandOffRules.objects.select_for_update().get_or_create()[0]
        changed = [name for name, value in values.items() if getattr(rules, name) != value]
        if not changed:
            return False
        for name in changed:
            setattr(rules, name, values[name])
        rules.save(update_fields=changed)
        record(FactKind.HAND_OFF_RULES_CHANGED, subject_id=rules.id, actor=actor, settings=len(changed))
        return True

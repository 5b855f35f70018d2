"""Changing how a tenant's assistant answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from conversations.models import Assistant
from helpdesk.errors import Conflict, NotFound
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs


@needs(Right.EDIT_ASSISTANT)
def change_assistant(*, tenant_id: UUID, based_on: int, values: dict[str, Any], actor: Actor = SYSTEM) -> bool:
    """Store these settings of the default assistant; False when they are what they were.

    Every change makes a new version, so that no cached answer outlives it. Raises Conflict when somebody else has made
    one since version `based_on`.
    """
    with tenant_atomic(tenant_id):
        assistant: Assistant | None = Assistant.objects.select_for_update(no_key=True).filter(is_default=True).first()
        if assistant is None:
            raise NotFound
        if assistant.version != based_on:
            raise Conflict
        changed = [name for name, value in values.items() if getattr(assistant, name) != value]
        if not changed:
            return False
        for name in changed:
            setattr(assistant, name, values[name])
        assistant.version += 1
        assistant.save(update_fields=[*changed, "version"])
        record(
            FactKind.ASSISTANT_CHANGED, subject_id=assistant.id, actor=actor,
            version=assistant.version, settings=len(changed),
        )  # fmt: skip
        return True

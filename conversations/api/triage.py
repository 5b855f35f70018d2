"""What API clients say of a conversation beside its messages: how far it is, its priority, its labels. In the tenant's scope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from conversations.inbox import triage
from conversations.models import Conversation, Label, Parked, Priority, Stage
from helpdesk.errors import InvalidInput
from helpdesk.facts.kinds import Actor


def change(conversation: Conversation, given: dict[str, Any], *, actor: Actor) -> None:
    """Bring the conversation to what is given; what is left out stays. Raises InvalidInput."""
    ids = [conversation.id]
    if "labels" in given:
        _set_labels(conversation.id, given["labels"], actor=actor)
    if "priority" in given:
        triage.set_priority(ids, priority=Priority(given["priority"]), actor=actor)
    if "wakes_at" in given and given.get("stage") != Stage.SNOOZED:
        raise InvalidInput(_("“wakes_at” goes with the stage “snoozed”."), parameter="wakes_at")
    match given.get("stage"):
        case None:
            return
        case Stage.RESOLVED:
            triage.resolve(ids, actor=actor)
        case stage:
            parked = Parked.NO if stage == Stage.OPEN else Parked(stage)
            triage.park(ids, parked=parked, until=given.get("wakes_at"), actor=actor)


def _set_labels(conversation_id: UUID, names: Iterable[str], *, actor: Actor) -> None:
    wanted = {name.lower() for name in names}
    known = {label.name.lower(): label.id for label in Label.objects.all()}
    if unknown := sorted(wanted - known.keys()):
        raise InvalidInput(_("There is no label “%(name)s”.") % {"name": unknown[0]}, parameter="labels")
    present = set(Label.objects.filter(labellings__conversation=conversation_id).values_list("id", flat=True))
    keep = {known[name] for name in wanted}
    for label_id in sorted(keep - present):
        triage.add_label([conversation_id], label_id=label_id, actor=actor)
    for label_id in sorted(present - keep):
        triage.remove_label([conversation_id], label_id=label_id, actor=actor)

"""Labels on conversations."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from conversations.inbox.triage.choosing import chosen
from conversations.models import Label, Labelling
from helpdesk.errors import NotFound
from helpdesk.facts.kinds import Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.users.acting import needs


@needs(Right.REPLY)
def add_label(conversation_ids: Iterable[UUID], *, label_id: UUID, actor: Actor) -> int:
    """Label them; raises NotFound for a label that the company does not have."""
    # Held, so that the label is not deleted meanwhile.
    if not Label.objects.select_for_update(no_key=True).filter(id=label_id).values_list("id").first():
        raise NotFound
    ids = chosen(conversation_ids, ~_has(label_id))
    Labelling.objects.bulk_create([Labelling(conversation_id=each, label_id=label_id) for each in ids])
    for each in ids:
        record(FactKind.LABELLED, conversation_id=each, subject_id=label_id, actor=actor)
    return len(ids)


@needs(Right.REPLY)
def remove_label(conversation_ids: Iterable[UUID], *, label_id: UUID, actor: Actor) -> int:
    """Take the label off them."""
    ids = chosen(conversation_ids, _has(label_id))
    Labelling.objects.filter(conversation__in=ids, label=label_id).delete()
    for each in ids:
        record(FactKind.UNLABELLED, conversation_id=each, subject_id=label_id, actor=actor)
    return len(ids)


def _has(label_id: UUID) -> Q:
    return Q(Exists(Labelling.objects.filter(conversation=OuterRef("id"), label=label_id)))

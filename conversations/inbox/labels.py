"""The company's own list of labels. Runs inside `tenant_atomic`; who may change it is `Right.MANAGE_LABELS`."""

from __future__ import annotations

import unicodedata
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Prefetch
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from conversations.models import Label, LabelColour, Labelling
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.users.acting import needs

MOST_LABELS = 200
NAME_CHARACTERS = 40


def labels_prefetched() -> Prefetch[Any, Any, Any]:
    """For `prefetch_related`: the labels of conversations in one query."""
    return Prefetch("labellings", queryset=Labelling.objects.select_related("label"))


def labels_by_name() -> list[Label]:
    """All of them."""
    return list(Label.objects.order_by(Lower("name"), "id"))


def counted_labels() -> list[Label]:
    """All of them, each with `uses`, the number of conversations that have it."""
    return list(Label.objects.annotate(uses=Count("labellings")).order_by(Lower("name"), "id"))


def labels_of(conversation_id: UUID) -> list[Label]:
    """Those of a conversation."""
    return list(Label.objects.filter(labellings__conversation=conversation_id).order_by(Lower("name"), "id"))


@needs(Right.MANAGE_LABELS)
def create_label(*, name: str, colour: str, actor: Actor) -> Label:
    """Add one. Raises InvalidInput, or Conflict for a name that there is."""
    if Label.objects.count() >= MOST_LABELS:
        raise InvalidInput(_("You have %(most)d labels, which is the limit. Delete one first.") % {"most": MOST_LABELS})
    label = Label(name=_clean_name(name), colour=_clean_colour(colour))
    _store(label)
    record(FactKind.LABEL_CREATED, subject_id=label.id, actor=actor)
    return label


@needs(Right.MANAGE_LABELS)
def change_label(label_id: UUID, *, name: str, colour: str, actor: Actor) -> Label:
    """Rename or recolour one. Raises InvalidInput, NotFound, or Conflict for a name that there is."""
    label: Label | None = Label.objects.select_for_update(no_key=True).filter(id=label_id).first()
    if label is None:
        raise NotFound
    label.name, label.colour = _clean_name(name), _clean_colour(colour)
    _store(label)
    record(FactKind.LABEL_CHANGED, subject_id=label.id, actor=actor)
    return label


@needs(Right.MANAGE_LABELS)
def delete_label(label_id: UUID, *, actor: Actor) -> None:
    """Delete one, and take it off all conversations. Raises NotFound."""
    if not Label.objects.filter(id=label_id).delete()[0]:
        raise NotFound
    record(FactKind.LABEL_DELETED, subject_id=label_id, actor=actor)


def _store(label: Label) -> None:
    try:
        with transaction.atomic():
            label.save()
    except IntegrityError as error:
        raise Conflict(_("A label with this name already exists.")) from error


def _clean_name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > NAME_CHARACTERS or any(unicodedata.category(c) in {"Cc", "Cs"} for c in clean):
        raise InvalidInput(
            _("A label's name has 1 to %(most)d characters.") % {"most": NAME_CHARACTERS}, parameter="name"
        )
    return clean


def _clean_colour(colour: str) -> str:
    if colour not in LabelColour.values:
        raise InvalidInput(_("Choose one of the colours."), parameter="colour")
    return colour

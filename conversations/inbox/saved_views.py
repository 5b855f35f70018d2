"""Views of the inbox that a person keeps: a queue with its filters under a name. Runs inside `tenant_atomic`."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from conversations.inbox.queues import Listed
from conversations.models import SavedView
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.permissions import Right
from helpdesk.users.acting import needs

MOST_VIEWS = 30
NAME_CHARACTERS = 40


def views_of(user_id: int) -> list[SavedView]:
    """The person's own views in this company."""
    return list(SavedView.objects.filter(user=user_id).order_by(Lower("name"), "id"))


@needs(Right.SEE_CONVERSATIONS)
def save_view(*, user_id: int, name: str, listed: Listed) -> SavedView:
    """Keep it under that name, in place of the one that had it. Raises InvalidInput."""
    clean = " ".join(name.split())
    if not clean or len(clean) > NAME_CHARACTERS or not clean.isprintable():
        raise InvalidInput(
            _("A view's name has 1 to %(most)d characters.") % {"most": NAME_CHARACTERS}, parameter="name"
        )
    others = SavedView.objects.filter(user=user_id).exclude(name=clean)
    if others.count() >= MOST_VIEWS:
        raise InvalidInput(_("You have %(most)d views, which is the limit. Delete one first.") % {"most": MOST_VIEWS})
    view: SavedView = SavedView.objects.update_or_create(
        user_id=user_id, name=clean, defaults={"query": listed.query[:400]}
    )[0]
    return view


@needs(Right.SEE_CONVERSATIONS)
def delete_view(view_id: UUID, *, user_id: int) -> None:
    """Raises NotFound, also for another person's."""
    if not SavedView.objects.filter(id=view_id, user=user_id).delete()[0]:
        raise NotFound

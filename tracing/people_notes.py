"""Notes inside the chain of what changed about a company's people, in ids and codes. Runs inside `tenant_atomic`."""

from __future__ import annotations

from uuid import UUID

from helpdesk.crypto import SealError
from helpdesk.users.models import User
from helpdesk.users.noting import PeopleChange
from tracing.chain import append_to_chain
from tracing.models import KeyEvent
from tracing.retention_changes import ChangeNotLogged


class ChainedPeopleNotes:
    """Fulfils `helpdesk.users.noting.Notes`; raises ChangeNotLogged while the chain's key is away."""

    def changed(self, change: PeopleChange, *, subject: UUID, user: User | None, **figures: int | str) -> None:
        """An event of the chain; without a person it was done from the shell."""
        event = KeyEvent(kind=change, subject=subject, figures={"user": user.pk if user else None, **figures})
        try:
            append_to_chain(event)
        except SealError:
            raise ChangeNotLogged from None

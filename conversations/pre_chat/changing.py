"""Changing what is asked before the chat."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from conversations.models import Asks, PreChat
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.tenants.models import Language
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs


@dataclass(frozen=True, slots=True)
class NewPreChat:
    """All of it; texts by language, without empty ones. Raises InvalidInput for a form that asks for nothing."""

    is_on: bool
    name: str
    email: str
    own: str
    own_label: dict[str, str]
    consent: dict[str, str]

    def __post_init__(self) -> None:
        asks = (self.name, self.email, self.own)
        if any(each not in Asks.values for each in asks) or {*self.own_label, *self.consent} - set(Language.values):
            raise InvalidInput
        if self.own != Asks.NO and not self.own_label:
            raise InvalidInput(_("Name your own field in at least one language."), parameter="own")
        if self.is_on and set(asks) == {Asks.NO} and not self.consent:
            raise InvalidInput(_("Ask for something, or switch the form off."), parameter="is_on")


@needs(Right.MANAGE_WIDGET)
def change_pre_chat(*, tenant_id: UUID, based_on: int, new: NewPreChat, actor: Actor = SYSTEM) -> bool:
    """Store it; False when it is what it was. Raises Conflict when somebody changed it since version `based_on`, 0 for none."""
    values = asdict(new)
    with tenant_atomic(tenant_id):
        row, is_new = PreChat.objects.select_for_update().get_or_create(defaults=values)
        if not is_new:
            if row.version != based_on:
                raise Conflict
            if all(getattr(row, name) == value for name, value in values.items()):
                return False
            for name, value in values.items():
                setattr(row, name, value)
            row.version += 1
            row.save(update_fields=[*values, "version"])
        record(FactKind.PRE_CHAT_CHANGED, subject_id=row.id, actor=actor, version=row.version, is_on=int(new.is_on))
        return True

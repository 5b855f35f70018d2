"""The company's macros, and running one on conversations. Runs inside `tenant_atomic`."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from conversations import domain
from conversations.channels import rules_of
from conversations.inbox.notes import add_note
from conversations.inbox.placeholders import Known, check_placeholders, filled
from conversations.inbox.triage.choosing import IS_UNRESOLVED, chosen
from conversations.models import Conversation, Label, Macro, Priority
from conversations.validation import CONTROLS, MESSAGE_CHARACTERS
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.tenants.models import Language, Tenant
from helpdesk.tenants.scope import current_tenant_id
from helpdesk.users.acting import needs
from helpdesk.users.models import User

MOST_MACROS = 100
NAME_CHARACTERS = 40
STAGES = ("open", "pending", "snooze:1h", "snooze:3h", "snooze:tomorrow", "snooze:week", "resolve")
# The status comes last: what is resolved can be given to nobody any more.
KINDS = ("label", "priority", "take", "assign", "open", "pending", "snooze", "resolve")

CarryOut = Callable[[str, Sequence[UUID]], object]


@dataclass(frozen=True, slots=True)
class Steps:
    """What a macro does, as somebody asks for it; empty for what stays as it is."""

    orders: tuple[str, ...] = ()
    note: str = ""
    reply_en: str = ""
    reply_zh: str = ""


def macros() -> list[Macro]:
    """All of them, by name."""
    return list(Macro.objects.order_by(Lower("name"), "id"))


@needs(Right.MANAGE_INBOX)
def create_macro(*, name: str, steps: Steps, actor: Actor) -> Macro:
    """Add one. Raises InvalidInput, or Conflict for a name that there is."""
    if Macro.objects.count() >= MOST_MACROS:
        raise InvalidInput(_("You have %(most)d macros, which is the limit. Delete one first.") % {"most": MOST_MACROS})
    macro = Macro()
    _store(macro, name, steps)
    record(FactKind.MACRO_CREATED, subject_id=macro.id, actor=actor)
    return macro


@needs(Right.MANAGE_INBOX)
def change_macro(macro_id: UUID, *, name: str, steps: Steps, actor: Actor) -> Macro:
    """Write one anew. Raises InvalidInput, NotFound, or Conflict for a name that there is."""
    macro: Macro | None = Macro.objects.select_for_update(no_key=True).filter(id=macro_id).first()
    if macro is None:
        raise NotFound
    _store(macro, name, steps)
    record(FactKind.MACRO_CHANGED, subject_id=macro.id, actor=actor)
    return macro


@needs(Right.MANAGE_INBOX)
def delete_macro(macro_id: UUID, *, actor: Actor) -> None:
    """Raises NotFound."""
    if not Macro.objects.filter(id=macro_id).delete()[0]:
        raise NotFound
    record(FactKind.MACRO_DELETED, subject_id=macro_id, actor=actor)


@needs(Right.REPLY)
def run_macro(macro_id: UUID, conversation_ids: Sequence[UUID], *, user_id: int, carry_out: CarryOut) -> int:
    """Do all of it with those that are not resolved; returns how many they are. Raises NotFound, or what `carry_out` raises.

    All locked first, in one order, and all or nothing.
    """
    macro: Macro | None = Macro.objects.filter(id=macro_id).first()
    if macro is None:
        raise NotFound
    user = User.objects.get(pk=user_id)
    with transaction.atomic():
        ids = chosen(conversation_ids, IS_UNRESOLVED)
        for conversation in Conversation.objects.filter(id__in=ids).select_related("visitor").order_by("id"):
            _write(macro, conversation, user)
        for order in _still_possible(macro.orders) if ids else ():
            carry_out(order, ids)
    return len(ids)


def _still_possible(orders: Sequence[str]) -> list[str]:
    """Without labels that were deleted meanwhile."""
    known = {f"label:{each}" for each in Label.objects.values_list("id", flat=True)}
    return [order for order in orders if not order.startswith("label:") or order in known]


def _write(macro: Macro, conversation: Conversation, user: User) -> None:
    tenant_id = current_tenant_id()
    if macro.note:
        add_note(tenant_id=tenant_id, conversation_id=conversation.id, user=user, body=macro.note)
    texts = (macro.reply_zh, macro.reply_en)
    reply, other = texts if conversation.language == Language.CHINESE else texts[::-1]
    if (reply or other) and rules_of(conversation.channel).admits_people:
        company = Tenant.objects.get(id=tenant_id).name_in(conversation.language)
        known = Known(customer=conversation.visitor.name, agent=str(user), company=company)
        body = filled(reply or other, known, conversation.language)
        domain.post_person_message(tenant_id=tenant_id, conversation_id=conversation.id, user=user, body=body)


def _store(macro: Macro, name: str, steps: Steps) -> None:
    macro.name = _clean_name(name)
    macro.orders = _clean_orders(steps.orders)
    macro.note, macro.reply_en, macro.reply_zh = map(_clean_text, (steps.note, steps.reply_en, steps.reply_zh))
    check_placeholders(macro.reply_en + macro.reply_zh)
    if not (macro.orders or macro.note or macro.reply_en or macro.reply_zh):
        raise InvalidInput(_("Choose at least one action."))
    try:
        with transaction.atomic():
            macro.save()
    except IntegrityError as error:
        raise Conflict(_("A macro with this name already exists.")) from error


def _clean_orders(orders: Sequence[str]) -> list[str]:
    """In the order of KINDS. Raises InvalidInput for what a macro cannot do."""
    kinds = [each.partition(":")[0] for each in orders]
    if len(orders) > 20 or any(not _is_order(each) for each in orders):
        raise InvalidInput
    return [order for _rank, order in sorted(zip(map(KINDS.index, kinds), orders, strict=True))]


def _is_order(order: str) -> bool:
    kind, _colon, argument = order.partition(":")
    match kind:
        case "take":
            return argument == ""
        case "assign":
            return argument == "" or (argument.isascii() and argument.isdigit() and len(argument) < 19)
        case "priority":
            return argument in Priority.values
        case "label":
            return Label.objects.filter(id=argument).exists() if _is_uuid(argument) else False
    return order in STAGES


def _is_uuid(raw: str) -> bool:
    try:
        return str(UUID(raw)) == raw
    except ValueError:
        return False


def _clean_name(raw: str) -> str:
    name = " ".join(raw.split())
    if not name or len(name) > NAME_CHARACTERS or any(unicodedata.category(c) in {"Cc", "Cs"} for c in name):
        raise InvalidInput(_("A macro's name has 1 to %(most)d characters.") % {"most": NAME_CHARACTERS})
    return name


def _clean_text(raw: str) -> str:
    text = raw.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > MESSAGE_CHARACTERS or CONTROLS.search(text):
        raise InvalidInput(_("A text has up to %(most)d characters.") % {"most": MESSAGE_CHARACTERS})
    return text

"""What somebody at the desk asks to be done with the marked conversations: one word each, such as `assign:12` or `snooze:1d`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.inbox import triage
from conversations.inbox.macros import run_macro
from conversations.models import Parked, Priority
from helpdesk.errors import InvalidInput
from helpdesk.facts.kinds import Actor
from helpdesk.permissions import Right
from helpdesk.users.acting import needs

MORNING = 9


@needs(Right.REPLY)
def act(order: str, conversation_ids: Sequence[UUID], *, user_id: int, actor: Actor, until: str = "") -> str:
    """Do it; returns what was done as a sentence. Raises InvalidInput for what is no order, NotFound for an unknown label."""
    verb, _colon, argument = order.partition(":")
    match verb:
        case "take":
            count = triage.assign(conversation_ids, assignee_id=user_id, actor=actor, only_free=True)
            return _taken(count, len(set(conversation_ids)))
        case "assign":
            assignee = _number(argument) if argument else None
            count = triage.assign(conversation_ids, assignee_id=assignee, actor=actor)
        case "resolve":
            count = triage.resolve(conversation_ids, actor=actor)
        case "open":
            count = triage.park(conversation_ids, parked=Parked.NO, actor=actor)
        case "pending":
            count = triage.park(conversation_ids, parked=Parked.PENDING, actor=actor)
        case "snooze":
            moment = snooze_end(argument, until)
            count = triage.park(conversation_ids, parked=Parked.SNOOZED, until=moment, actor=actor)
        case "priority" if argument in Priority.values:
            count = triage.set_priority(conversation_ids, priority=Priority(argument), actor=actor)
        case "label":
            count = triage.add_label(conversation_ids, label_id=_uuid(argument), actor=actor)
        case "unlabel":
            count = triage.remove_label(conversation_ids, label_id=_uuid(argument), actor=actor)
        case "macro":
            again = partial(act, user_id=user_id, actor=actor)
            count = run_macro(_uuid(argument), conversation_ids, user_id=user_id, carry_out=again)
        case _:
            raise InvalidInput
    return _done(count)


def snooze_end(name: str, until: str = "") -> datetime:
    """The moment that a choice of the menu means, in the reader's time zone. Raises InvalidInput."""
    now = timezone.localtime()
    morning = now.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    match name:
        case "1h":
            return now + timedelta(hours=1)
        case "3h":
            return now + timedelta(hours=3)
        case "tomorrow":
            return morning + timedelta(days=1)
        case "week":
            return morning + timedelta(days=7 - now.weekday())
        case "until":
            return _moment(until)
    raise InvalidInput


def _moment(raw: str) -> datetime:
    try:
        found = parse_datetime(raw)
    except ValueError:
        found = None
    if found is None:
        raise InvalidInput(_("Choose the day and time it comes back."), parameter="until")
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def _done(count: int) -> str:
    if not count:
        return _("Nothing to change.")
    return ngettext("%(count)d conversation updated.", "%(count)d conversations updated.", count) % {"count": count}


def _taken(count: int, wanted: int) -> str:
    if count == wanted:
        return _done(count)
    left = wanted - count
    sentence = ngettext(
        "%(count)d has an assignee or is resolved. To take it over, choose yourself under Assign.",
        "%(count)d have an assignee or are resolved. To take them over, choose yourself under Assign.",
        left,
    )
    return f"{_done(count)} {sentence % {'count': left}}" if count else sentence % {"count": left}


def _number(raw: str) -> int:
    if not (raw.isascii() and raw.isdigit() and len(raw) < 19):
        raise InvalidInput
    return int(raw)


def _uuid(raw: str) -> UUID:
    try:
        return UUID(raw)
    except ValueError:
        raise InvalidInput from None

"""Starting, pausing and ending the clocks of a conversation, as facts about it arrive: from its rows, so that a fact that comes
twice or late changes nothing more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from conversations.clocks.hours import after_open_seconds, open_seconds
from conversations.clocks.times import promised_seconds
from conversations.entries import InboxChanged, to_plain
from conversations.models import (
    Author,
    Clock,
    ClockKind,
    Conversation,
    ConversationStatus,
    HandOff,
    Message,
    Parked,
    ResponseTimes,
)
from conversations.publishing import publish_softly
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.streams.entries import inbox_stream
from helpdesk.tenants.scope import current_tenant_id

WINDS = frozenset({FactKind.MESSAGE_POSTED, FactKind.STATUS_CHANGED, FactKind.STAGE_CHANGED, FactKind.PRIORITY_CHANGED})
REPLIES = (ClockKind.FIRST_REPLY, ClockKind.NEXT_REPLY)
# One mark of open work does for all clocks that end within such a span.
ROUNDED_TO_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Owed:
    """What people owe the customer now: since when, by kind, and when the last reply was given."""

    since: dict[str, datetime]
    replied_at: datetime | None


def may_wind(fact: Fact) -> bool:
    """Whether the fact can change a clock: of messages only those of customers and of people."""
    return fact.kind != FactKind.MESSAGE_POSTED or fact.data.get("author") in {Author.CUSTOMER, Author.PERSON}


def wind_after(fact: Fact) -> None:
    """Bring the clocks to what the conversation is now. Runs in the scope of the delivery."""
    if fact.conversation_id is not None:
        wind(fact.conversation_id, at=fact.at)


def wind(conversation_id: UUID, *, at: datetime) -> None:
    """Bring the clocks to what the conversation is since `at`. Runs inside `tenant_atomic`."""
    running = Clock.objects.filter(conversation_id=conversation_id, ended_at__isnull=True)
    if not ResponseTimes.objects.exists() and not running.exists():
        return
    rows = Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id)
    conversation: Conversation | None = rows.first()
    if conversation is None:
        return
    clocks = {clock.kind: clock for clock in running}
    owed = _owed(conversation, clocks, at)
    for kind, clock in clocks.items():
        if kind not in owed.since:
            _end(clock, owed.replied_at if kind in REPLIES and owed.replied_at else at)
    for kind, since in owed.since.items():
        _run(conversation, clocks.get(kind), kind, since, at)
    show_on_row(conversation)


def show_on_row(conversation: Conversation) -> None:
    """Say on the conversation's row which clock ends first, and whether one is over; the desks learn of a change."""
    open_ones = Clock.objects.filter(conversation_id=conversation.id, ended_at__isnull=True)
    shown = open_ones.aggregate(due=Min("due_at"), overdue=Min("breached_at"))
    if (shown["due"], shown["overdue"]) == (conversation.due_at, conversation.overdue_at):
        return
    Conversation.objects.filter(id=conversation.id).update(due_at=shown["due"], overdue_at=shown["overdue"])
    news = {inbox_stream(current_tenant_id()): to_plain(InboxChanged(conversation=conversation.id))}
    transaction.on_commit(partial(publish_softly, news))


def _owed(conversation: Conversation, clocks: dict[str, Clock], at: datetime) -> Owed:
    """The AI's own conversations owe nothing, and neither do closed ones."""
    if conversation.status not in {ConversationStatus.WAITING, ConversationStatus.PERSON}:
        return Owed({}, None)
    said = Message.objects.filter(conversation_id=conversation.id).exclude(author=Author.SYSTEM)
    replied = said.filter(author=Author.PERSON).order_by("-position").first()
    since: dict[str, datetime] = {ClockKind.RESOLUTION: _needed_since(conversation, at)}
    kind = ClockKind.NEXT_REPLY if replied else ClockKind.FIRST_REPLY
    begun = _reply_owed_since(conversation, clocks.get(kind), replied)
    if begun is not None:
        since[kind] = begun
    return Owed(since, replied.created_at if replied else None)


def _reply_owed_since(conversation: Conversation, clock: Clock | None, replied: Message | None) -> datetime | None:
    """A customer who waits is owed one since then, and else one who has written last."""
    if clock is not None and (replied is None or replied.created_at <= clock.started_at):
        return clock.started_at
    if conversation.status == ConversationStatus.WAITING and conversation.waiting_since is not None:
        return conversation.waiting_since
    said = Message.objects.filter(conversation_id=conversation.id).exclude(author=Author.SYSTEM)
    answered = said.exclude(author=Author.CUSTOMER).order_by("-position").values_list("position", flat=True).first()
    asked = said.filter(author=Author.CUSTOMER, position__gt=answered or 0).order_by("position").first()
    return asked.created_at if asked else None


def _needed_since(conversation: Conversation, at: datetime) -> datetime:
    """When the first person was needed or came."""
    waited = HandOff.objects.filter(conversation_id=conversation.id).aggregate(first=Min("began_at"))["first"]
    came = Message.objects.filter(conversation_id=conversation.id, author=Author.PERSON)
    moments = [waited, came.aggregate(first=Min("created_at"))["first"]]
    return min((moment for moment in moments if moment is not None), default=at)


def _run(conversation: Conversation, clock: Clock | None, kind: str, since: datetime, at: datetime) -> None:
    """Start the clock, let it go on, or stop it while the conversation is set aside."""
    is_paused = conversation.parked != Parked.NO
    promised = promised_seconds(conversation.priority, kind)
    if clock is None:
        if promised is None:
            return
        clock = Clock(conversation=conversation, kind=kind, priority=conversation.priority, started_at=since)
        clock.runs_since = since
    elif clock.priority == conversation.priority and is_paused == (clock.runs_since is None):
        return
    clock.priority = conversation.priority
    if is_paused and clock.runs_since is not None:
        clock.used_seconds += open_seconds(clock.runs_since, at)
        clock.runs_since = None
    elif not is_paused and clock.runs_since is None:
        clock.runs_since = at
    clock.due_at = None
    if clock.runs_since is not None and promised is not None:
        clock.due_at = after_open_seconds(clock.runs_since, max(promised - clock.used_seconds, 0))
        note(Kind.CLOCKS, due_at=_rounded_up(clock.due_at))
    clock.save()


def _end(clock: Clock, at: datetime) -> None:
    """The promise was kept or fell away. Who answered too late has broken it, also where nobody has said so yet."""
    clock.ended_at = at
    if clock.breached_at is None and clock.due_at is not None and clock.due_at < at:
        clock.breached_at = clock.due_at
    clock.save(update_fields=["ended_at", "breached_at"])


def _rounded_up(moment: datetime) -> datetime:
    seconds = math.ceil(moment.timestamp() / ROUNDED_TO_SECONDS) * ROUNDED_TO_SECONDS
    return datetime.fromtimestamp(seconds, tz=UTC)

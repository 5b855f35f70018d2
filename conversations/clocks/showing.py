"""The clocks of a conversation as its side panel shows them. Runs inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from conversations.models import Clock, ClockKind
from conversations.words import due_words


@dataclass(frozen=True, slots=True)
class ShownClock:
    """One promise: what it is about, how it stands in words, and whether that is good."""

    label: str
    words: str
    due_at: datetime | None
    is_over: bool


def clocks_of(conversation_id: UUID, now: datetime) -> list[ShownClock]:
    """Those that run or stand still, the first due at the top."""
    rows = Clock.objects.filter(conversation_id=conversation_id, ended_at__isnull=True)
    clocks = sorted(rows, key=lambda clock: (clock.due_at is None, clock.due_at or now))
    return [_shown(clock, now) for clock in clocks]


def _shown(clock: Clock, now: datetime) -> ShownClock:
    is_over = clock.breached_at is not None or (clock.due_at is not None and clock.due_at <= now)
    words = _("Paused") if clock.due_at is None else due_words(clock.due_at, now)
    return ShownClock(str(ClockKind(clock.kind).label), words, clock.due_at, is_over)

"""Trying a rule on what happened: how often it would have held, and where. Changes nothing. Runs inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from automation.conditions import Conditions
from automation.events import happenings, past_of
from conversations.models import Conversation

DAYS, MOST_TRIED, EXAMPLES = 30, 1000, 10


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would have met: `tried` happenings, of which it held for `held`, in as many `conversations`."""

    tried: int
    held: int
    conversations: int
    examples: tuple[Conversation, ...]
    is_cut: bool


def try_out(trigger: str, conditions: Conditions) -> Trial:
    """Of the last days, the newest first. Labels and priorities are today's: what they were then is not kept."""
    past = past_of(trigger, since=timezone.now() - timedelta(days=DAYS), most=MOST_TRIED + 1)
    seen = happenings(past[:MOST_TRIED])
    held = [conversation for _past, conversation, happening in seen if conditions.hold(happening)]
    by_id: dict[UUID, Conversation] = {}
    for conversation in held:
        by_id.setdefault(conversation.id, conversation)
    examples = tuple(by_id.values())[:EXAMPLES]
    return Trial(len(seen), len(held), len(by_id), examples, len(past) > MOST_TRIED)

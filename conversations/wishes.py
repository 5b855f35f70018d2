"""Whether a message asks for a person: in its own words, or by saying yes to the offer of one."""

from __future__ import annotations

from collections.abc import Callable

from conversations.intents import Intent, accepts_offer, intent_of
from conversations.models import AnswerKind, Author, Message

OFFERS_A_PERSON = frozenset({AnswerKind.REFUSAL, AnswerKind.HAND_OFF})


def wants_person(message: str, *, before: Callable[[], Message | None]) -> bool:
    """Whether it does; `before` looks up the message before it in the conversation, where that matters."""
    if intent_of(message) is Intent.PERSON:
        return True
    offer = before() if accepts_offer(message) else None
    return offer is not None and offer.author == Author.AI and offer.kind in OFFERS_A_PERSON

"""The intents that need no article."""

from __future__ import annotations

from enum import StrEnum


class Intent(StrEnum):
    """What such a message wants, the weightier first: one that greets and asks for a person asks for a person."""

    PERSON = "person"
    COMPLAINT = "complaint"
    ORDER = "order"
    ROBOT = "robot"
    IDENTITY = "identity"
    PARTING = "parting"
    THANKS = "thanks"
    GREETING = "greeting"


# Said beside a matter rather than being one.
SMALL_TALK = frozenset({Intent.ROBOT, Intent.IDENTITY, Intent.PARTING, Intent.THANKS, Intent.GREETING})

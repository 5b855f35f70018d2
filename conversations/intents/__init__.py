"""What a message wants that no article can give: a greeting back, a person, a look into the customer's own order.

The phrases are data (`phrases`), apart from how they are read (`recognising`, `spelling`) and what answers them (`words`).
"""

from conversations.intents.kinds import Intent
from conversations.intents.recognising import (
    accepts_offer,
    asks_for_contact,
    intent_of,
    open_intent,
    without_small_talk,
)
from conversations.intents.words import fixed_words, handing_over_words, person_here_words

__all__ = [
    "Intent",
    "accepts_offer",
    "asks_for_contact",
    "fixed_words",
    "handing_over_words",
    "intent_of",
    "open_intent",
    "person_here_words",
    "without_small_talk",
]

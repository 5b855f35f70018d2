"""Follow-up questions: what to search for when a message leans on the ones before it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.folding import folded

# A short message, or one that points back, may need its predecessor's words to be searchable.
SHORT_WORDS = 5
SHORT_CHARACTERS = 9
MOSTLY_KNOWN = 0.5
POINTS_BACK = {
    "en": re.compile(
        r"^\s*(and|but|so|or|then|also|what about|how about)\b|\b(it|its|that|this|these|those|they|them|there|one|ones|same)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"^\s*(那|那么|还有|另外|如果|可是|但是)|它|这个|那个|这些|那些|这样|那样|呢[？?]?\s*$"),
}


def leans_on_history(question: str, language: str) -> bool:
    """Whether the question is short or points back, so that its words alone may not say what it is about."""
    question = folded(question)
    if POINTS_BACK[language].search(question):
        return True
    if language == "zh":
        return len(question.strip()) <= SHORT_CHARACTERS
    return len(question.split()) <= SHORT_WORDS


def with_predecessor(
    question: str, earlier_questions: Sequence[str], language: str, *, known: float | None
) -> str | None:
    """What to search for besides the question itself: it behind its predecessor, when it leans on that; else None.

    `known` is the share of the question's weight that the articles mention at all (None for a question without terms).
    A question about something that they never mention must not be answered from its predecessor's words.
    """
    if not earlier_questions or not leans_on_history(question, language):
        return None
    if known is not None and known < MOSTLY_KNOWN:
        return None
    return f"{earlier_questions[-1]} {question}"

"""What an answer is about, of what kind it is, and how much of the question it covers. Pure functions.

All of it is counted from the question's own words, weighted by their rarity among the tenant's passages (inverse
document frequency), and from where these words occur. Nothing is asked of the model.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from knowledge.folding import folded
from knowledge.search.terms import is_stem
from tracing.content import QuestionTerm

MAX_TOPICS = 5
# Below this share of the question's weight the used passages cover the answer counts as partial.
PARTIAL_BELOW = 0.5

DIRECT, PARTIAL, CLARIFYING, REFUSAL, HAND_OFF = "direct", "partial", "clarifying", "refusal", "hand_off"

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares, 0 to 1, of the question's weight found in the used passages (relevance) and the answer (completeness).

    None when it cannot be counted: a question without weighty words, or passages in another language.
    """

    relevance: float | None
    completeness: float | None


def covered(terms: Sequence[QuestionTerm], found: Collection[str]) -> float | None:
    """The share of the question's weight among `found`; None for a question without terms."""
    total = sum(term.weight for term in terms)
    return sum(term.weight for term in terms if term.text in found) / total if total > 0 else None


def answer_kind(
    *, is_refusal: bool, is_cut_off: bool, is_handed_off: bool, answer: str, quotes: bool, relevance: float | None
) -> str:
    """direct, partial, clarifying, refusal or hand_off, by fixed rules.

    Partial: the answer was cut off, or the used passages hold less than half of what the question weighs. Clarifying: a
    freely written answer that ends with a question.
    """
    if is_handed_off:
        return HAND_OFF
    if is_refusal:
        return REFUSAL
    if is_cut_off or (relevance is not None and relevance < PARTIAL_BELOW):
        return PARTIAL
    if not quotes and answer.rstrip().endswith(("?", "？")):
        return CLARIFYING
    return DIRECT


def key_topics(question: str, terms: Sequence[QuestionTerm], found: Collection[str], *, language: str) -> list[str]:
    """At most MAX_TOPICS of the question's words that the used passages hold too, the weightiest first.

    In the question's own spelling: search terms are word stems in English and pairs of characters in Chinese, where
    pairs that overlap in the question are joined again.
    """
    weights = {term.text: term.weight for term in terms if term.text in found and term.weight > 0}
    if language == "zh":
        spelled = _chinese_topics(question, weights)
    else:
        spelled = _english_topics(question, weights)
    best: dict[str, float] = {}
    for text, weight in spelled:
        best[text] = max(weight, best.get(text, 0.0))
    return sorted(best, key=lambda text: -best[text])[:MAX_TOPICS]


def _english_topics(question: str, weights: dict[str, float]) -> list[tuple[str, float]]:
    topics = []
    for match in _WORD.finditer(question):
        word = match.group().lower()
        stem = next((term for term in weights if is_stem(term, word)), None)
        if stem is not None:
            topics.append((word, weights[stem]))
    return topics


def _chinese_topics(question: str, weights: dict[str, float]) -> list[tuple[str, float]]:
    """Runs of overlapping pairs, each with the weight of its heaviest pair; Latin words as they are."""
    text = question.lower()
    plain = folded(text)
    # The terms are of one script; the topics stay in the customer's own where each character has its counterpart.
    text = text if len(plain) == len(text) else plain
    covered_by: list[float] = [0.0] * len(text)
    joined: list[bool] = [False] * len(text)
    for term, weight in weights.items():
        for match in re.finditer(re.escape(term), plain):
            for position in range(match.start(), match.end()):
                covered_by[position] = max(covered_by[position], weight)
            for position in range(match.start() + 1, match.end()):
                joined[position] = True
    topics, start = [], None
    for position in range(len(text) + 1):
        begins_anew = position < len(text) and covered_by[position] > 0 and not joined[position]
        if start is not None and (position == len(text) or covered_by[position] == 0 or begins_anew):
            topics.append((text[start:position], max(covered_by[start:position])))
            start = None
        if position < len(text) and covered_by[position] > 0 and start is None:
            start = position
    return [(topic, weight) for topic, weight in topics if len(topic) > 1 or topic.isascii()]

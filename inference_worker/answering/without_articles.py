"""Answers that stand in no article: to what needs none, and to what none of them answers."""

from __future__ import annotations

from conversations.channels import rules_of
from conversations.intents import Intent, accepts_offer, fixed_words, handing_over_words, intent_of, open_intent
from conversations.models import AnswerKind, Author
from inference_worker.answering.refusals import refusal
from inference_worker.answering.results import Articles, Asked, FixedText, Refusal

OFFERS_A_PERSON = frozenset({AnswerKind.REFUSAL, AnswerKind.HAND_OFF})


def wanted(asked: Asked) -> Intent | None:
    """What the customer wants if no article is needed for it. "Yes, please" to the offer of a person asks for one."""
    before = asked.history[-1] if asked.history else None
    was_offered = before is not None and before.author == Author.AI and before.kind in OFFERS_A_PERSON
    if was_offered and accepts_offer(asked.question):
        return Intent.PERSON
    return intent_of(asked.question)


def fixed_text(asked: Asked, intent: Intent) -> FixedText:
    """The words for the intent; who asks for a person waits for one, where people read along."""
    if intent is Intent.PERSON and rules_of(asked.channel).admits_people:
        return FixedText(handing_over_words(asked.language), intent, hands_over=True)
    return FixedText(fixed_words(intent, asked.language), intent)


def declining(asked: Asked, evidence: Articles) -> Refusal:
    """What is said when the articles do not answer; a complaint or an order is for a person, not for a search that failed."""
    intent = open_intent(asked.question)
    if intent is None:
        return Refusal(refusal(asked.language, evidence.found.verdict), evidence.style)
    return Refusal(fixed_words(intent, asked.language), evidence.style)

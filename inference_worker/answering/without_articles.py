"""Answers that stand in no article: to what needs none, and to what none of them answers."""

from __future__ import annotations

from dataclasses import replace

from conversations.channels import rules_of
from conversations.intents import (
    Intent,
    asks_for_contact,
    fixed_words,
    handing_over_words,
    intent_of,
    open_intent,
    person_here_words,
)
from conversations.models import Outcome
from conversations.wishes import wants_person
from inference_worker.answering.refusals import refusal
from inference_worker.answering.results import Articles, Asked, Checked, FixedText, Generation, Refusal


def wanted(asked: Asked) -> Intent | None:
    """What the customer wants if no article is needed for it. "Yes, please" to the offer of a person asks for one.

    Most wishes for a person never come here: where the conversation goes on, the intake hands it over.
    """
    if wants_person(asked.question, before=lambda: asked.history[-1] if asked.history else None):
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


def offer_person(asked: Asked, checked: Checked) -> Checked:
    """Who asks how to reach a person is told what the articles say, and offered one here, where people read along."""
    is_whole = isinstance(checked.plan, Generation) and checked.outcome is Outcome.ANSWERED
    if not (is_whole and asked.parameters.grounded and rules_of(asked.channel).admits_people):
        return checked
    if not asks_for_contact(asked.question):
        return checked
    return replace(checked, text=f"{checked.text}\n{person_here_words(asked.language)}", offers_person=True)

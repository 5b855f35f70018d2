"""Why a person should see to a conversation by the company's rules, where nobody asked for one. Runs inside `tenant_atomic`."""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher

from conversations.channels import rules_of
from conversations.failures import FailureCode
from conversations.intents import Intent, intent_of, open_intent
from conversations.models import (
    AnswerKind,
    Author,
    Conversation,
    HandOffReason,
    Message,
    Outcome,
    Reply,
    ReplyPurpose,
    claims_confidence,
)
from conversations.replies.handing_over import hand_off_rules
from knowledge.folding import folded

# How alike two words are that differ by a slip of the pen, of 1; shorter texts and words are compared as they are.
ALIKE_FROM, SHORTEST_TEXT, SHORTEST_WORD = 0.8, 16, 4
QUESTIONS_COMPARED = 6
ON_PURPOSE = frozenset({FailureCode.STOPPED, FailureCode.SUPERSEDED, FailureCode.DELETED})


def reason_of_answer(
    reply: Reply, conversation: Conversation, *, outcome: str, kind: str, confidence_band: str
) -> HandOffReason | None:
    """Why this answer, which was just stored, is not the end of it; None when it is."""
    if not _watches(reply, conversation) or outcome == Outcome.STOPPED:
        return None
    rules, question = hand_off_rules(), reply.question
    if rules.on_complaint and kind == AnswerKind.HAND_OFF and open_intent(question.body) is Intent.COMPLAINT:
        return HandOffReason.COMPLAINT
    if rules.on_repeated and _is_repeated(question):
        return HandOffReason.REPEATED
    if rules.on_refusal and outcome == Outcome.REFUSED:
        return HandOffReason.REFUSED
    is_unsure = confidence_band == "low" and claims_confidence(outcome, kind)
    return HandOffReason.LOW_CONFIDENCE if rules.on_low_confidence and is_unsure else None


def reason_of_failure(reply: Reply, conversation: Conversation, code: FailureCode) -> HandOffReason | None:
    """Why a person should answer where the assistant did not; None for a reply that was ended on purpose."""
    if code in ON_PURPOSE or not _watches(reply, conversation) or not hand_off_rules().on_failure:
        return None
    return HandOffReason.LATE if code == FailureCode.DEADLINE else HandOffReason.FAILED


def reason_of_rating(reply: Reply, conversation: Conversation) -> HandOffReason | None:
    """Why a thumb down calls for a person: it is about the last thing that was said."""
    if not _watches(reply, conversation) or not hand_off_rules().on_thumbs_down:
        return None
    said = Message.objects.filter(conversation_id=conversation.id).exclude(author=Author.SYSTEM)
    last = said.order_by("-position").values_list("id", flat=True).first()
    return HandOffReason.THUMBS_DOWN if last == reply.answer_id else None


def _watches(reply: Reply, conversation: Conversation) -> bool:
    """Other software decides by itself when a person is needed: what it asks is handed over on request only."""
    return rules_of(conversation.channel).is_in_inbox and reply.purpose == ReplyPurpose.ANSWER


def _is_repeated(question: Message) -> bool:
    """Whether the customer has asked the same before in this conversation, and was answered by the assistant."""
    if intent_of(question.body) is not None:
        return False
    asked = plain(question.body)
    earlier = Message.objects.filter(
        conversation_id=question.conversation_id,
        author=Author.CUSTOMER,
        position__lt=question.position,
        replies__answer__isnull=False,
    ).order_by("-position")
    bodies = earlier.values_list("body", flat=True)[:QUESTIONS_COMPARED]
    return bool(asked) and any(is_same(asked, plain(body)) for body in bodies)


def plain(text: str) -> str:
    """Letters and figures in small letters, with single blanks."""
    kept = (char if unicodedata.category(char)[0] in "LN" else " " for char in folded(text).casefold())
    return " ".join("".join(kept).split())


def is_same(one: str, other: str) -> bool:
    """Whether two plain questions ask the same. A figure or a short word more is another question."""
    if one == other:
        return True
    is_short = min(len(one), len(other)) < SHORTEST_TEXT
    if is_short or not (one.isascii() and other.isascii()) or _figures(one) != _figures(other):
        return False
    words, others = one.split(), other.split()
    return len(words) == len(others) and all(_is_alike(a, b) for a, b in zip(words, others, strict=True))


def _is_alike(one: str, other: str) -> bool:
    if one == other or min(len(one), len(other)) < SHORTEST_WORD:
        return one == other
    return SequenceMatcher(None, one, other).ratio() >= ALIKE_FROM


def _figures(text: str) -> list[str]:
    return [word for word in text.split() if any(char.isdigit() for char in word)]

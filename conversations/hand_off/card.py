"""What somebody who takes a waiting conversation has to know first, in a few lines. Runs inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.intents import intent_of
from conversations.models import (
    AnswerKind,
    Author,
    Conversation,
    ConversationStatus,
    HandOffReason,
    Message,
    Outcome,
)
from conversations.queries import open_hand_off
from helpdesk.tenants.models import Language
from helpdesk.users.models import User

QUESTIONS_LOOKED_AT = 6


@dataclass(frozen=True, slots=True)
class HandOffCard:
    """`asked` is the customer's own text; `sources` are the titles that the assistant used, none when it found nothing.

    `answer_reply` is the reply whose trace says how that came about. `suggestion` is a text to begin with:
    `is_answer` when the assistant had it ready, else an opening. `team` is the one whose turn it is, if any.
    """

    reason: str
    asked: str
    sources: tuple[str, ...]
    answer_reply: UUID | None
    suggestion: str
    is_answer: bool
    is_unclaimed: bool
    team: str


def hand_off_card(conversation: Conversation, viewer: User, company: str) -> HandOffCard | None:
    """For a conversation that waits; None for any other, and for one that waits since before hand-offs were kept."""
    if conversation.status != ConversationStatus.WAITING:
        return None
    hand_off = open_hand_off(conversation.id)
    if hand_off is None:
        return None
    is_about_answer = hand_off.reply is not None and hand_off.reason != HandOffReason.REQUESTED
    question = hand_off.reply.question if hand_off.reply and is_about_answer else _last_question(conversation.id)
    answers = Message.objects.filter(answer_to__question=question, author=Author.AI).select_related("answer_to")
    answer = answers.first() if question else None
    is_usable = _is_usable(answer)
    return HandOffCard(
        reason=str(HandOffReason(hand_off.reason).label),
        asked=question.body if question else "",
        sources=tuple(dict.fromkeys(source["title"] for source in answer.sources)) if answer else (),
        answer_reply=_reply_of(answer),
        suggestion=answer.body if answer and is_usable else _opening(conversation.language, viewer, company),
        is_answer=is_usable,
        is_unclaimed=conversation.alarmed_at is not None,
        team=hand_off.team.name if hand_off.team else "",
    )


def _last_question(conversation_id: UUID) -> Message | None:
    """What the customer wanted to know before they asked for a person; their last words when that is all they said."""
    messages = Message.objects.filter(conversation_id=conversation_id, author=Author.CUSTOMER)
    latest = list(messages.order_by("-position")[:QUESTIONS_LOOKED_AT])
    return next((each for each in latest if intent_of(each.body) is None), latest[0] if latest else None)


def _is_usable(answer: Message | None) -> bool:
    """Whether a person could send it as it is, after a look: from the articles, and whole."""
    kinds = {AnswerKind.HAND_OFF, AnswerKind.CLARIFYING, AnswerKind.REFUSAL}
    return bool(answer and answer.sources and answer.outcome == Outcome.ANSWERED and answer.kind not in kinds)


def _reply_of(answer: Message | None) -> UUID | None:
    reply = getattr(answer, "answer_to", None)
    return reply.id if reply else None


def _opening(language: str, viewer: User, company: str) -> str:
    """A first sentence in the customer's language."""
    with override("zh-hans" if language == Language.CHINESE else "en"):
        return _("Hi, this is %(name)s from %(company)s. I've read your conversation and I'm looking into it now.") % {
            "name": viewer.get_short_name() or str(viewer),
            "company": company,
        }

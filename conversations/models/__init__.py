"""Conversations between a customer, the assistant and the tenant's people."""

from conversations.models.assistant import ASSISTANT_STYLES, AnswerStyle, Assistant
from conversations.models.conversation import Author, Channel, Conversation, ConversationStatus
from conversations.models.feedback import Feedback, FeedbackReason, Giver, Rating
from conversations.models.hand_off import HandOff, HandOffEnd, HandOffReason, HandOffRules
from conversations.models.message import (
    AnswerKind,
    CacheKind,
    Message,
    Outcome,
    TextFormat,
    claims_confidence,
    format_of,
)
from conversations.models.note import Note
from conversations.models.reply import PriorityClass, Reply, ReplyPurpose, ReplyStatus
from conversations.models.visitor import Visitor

__all__ = [
    "ASSISTANT_STYLES",
    "AnswerKind",
    "AnswerStyle",
    "Assistant",
    "Author",
    "CacheKind",
    "Channel",
    "Conversation",
    "ConversationStatus",
    "Feedback",
    "FeedbackReason",
    "Giver",
    "HandOff",
    "HandOffEnd",
    "HandOffReason",
    "HandOffRules",
    "Message",
    "Note",
    "Outcome",
    "PriorityClass",
    "Rating",
    "Reply",
    "ReplyPurpose",
    "ReplyStatus",
    "TextFormat",
    "Visitor",
    "claims_confidence",
    "format_of",
]

"""Conversations between a customer, the assistant and the tenant's people."""

from conversations.models.assistant import ASSISTANT_STYLES, AnswerStyle, Assistant
from conversations.models.attention import Mention, Seen
from conversations.models.canned import CannedReply
from conversations.models.conversation import (
    IS_OPEN,
    ON_THE_DESK,
    Author,
    Channel,
    Conversation,
    ConversationStatus,
    Parked,
    Priority,
    Stage,
)
from conversations.models.draft import Draft
from conversations.models.feedback import Feedback, FeedbackReason, Giver, Rating
from conversations.models.hand_off import HandOff, HandOffEnd, HandOffReason, HandOffRules
from conversations.models.identity_key import IdentityKey
from conversations.models.label import Label, LabelColour, Labelling
from conversations.models.macro import Macro
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
from conversations.models.opening import OpeningHours
from conversations.models.pre_chat import Asks, PreChat
from conversations.models.reply import PriorityClass, Reply, ReplyPurpose, ReplyStatus
from conversations.models.staffing import Staffing, Team, TeamMember
from conversations.models.survey import AnsweredBy, Survey
from conversations.models.text import ConversationText
from conversations.models.view import SavedView
from conversations.models.visitor import Visitor

__all__ = [
    "ASSISTANT_STYLES",
    "IS_OPEN",
    "ON_THE_DESK",
    "AnswerKind",
    "AnswerStyle",
    "AnsweredBy",
    "Asks",
    "Assistant",
    "Author",
    "CacheKind",
    "CannedReply",
    "Channel",
    "Conversation",
    "ConversationStatus",
    "ConversationText",
    "Draft",
    "Feedback",
    "FeedbackReason",
    "Giver",
    "HandOff",
    "HandOffEnd",
    "HandOffReason",
    "HandOffRules",
    "IdentityKey",
    "Label",
    "LabelColour",
    "Labelling",
    "Macro",
    "Mention",
    "Message",
    "Note",
    "OpeningHours",
    "Outcome",
    "Parked",
    "PreChat",
    "Priority",
    "PriorityClass",
    "Rating",
    "Reply",
    "ReplyPurpose",
    "ReplyStatus",
    "SavedView",
    "Seen",
    "Staffing",
    "Stage",
    "Survey",
    "Team",
    "TeamMember",
    "TextFormat",
    "Visitor",
    "claims_confidence",
    "format_of",
]

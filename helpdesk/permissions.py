"""What each role may do inside its tenant. An outsider gets 404, an insider without the right 403."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Roles of a membership, the strongest first."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    REVIEWER = "reviewer"
    AGENT = "agent"
    VIEWER = "viewer"


class Right(StrEnum):
    """Things that a view, socket or command may ask for."""

    SEE_CONVERSATIONS = "see_conversations"
    REPLY = "reply"
    SEE_KNOWLEDGE = "see_knowledge"
    EDIT_KNOWLEDGE = "edit_knowledge"
    SEE_TRACE = "see_trace"
    READ_TRACE_CONTENT = "read_trace_content"
    SEE_MODELS = "see_models"
    MANAGE_API_KEYS = "manage_api_keys"
    EDIT_ASSISTANT = "edit_assistant"
    MANAGE_WIDGET = "manage_widget"
    MANAGE_BATCHES = "manage_batches"
    MANAGE_RETENTION = "manage_retention"
    MANAGE_PEOPLE = "manage_people"
    SEE_AUDIT_LOG = "see_audit_log"
    MANAGE_OWNERS = "manage_owners"
    MANAGE_SECURITY = "manage_security"
    MANAGE_LABELS = "manage_labels"
    MANAGE_INBOX = "manage_inbox"
    REVIEW_ANSWERS = "review_answers"
    MANAGE_REVIEWS = "manage_reviews"


_VIEW = {Right.SEE_CONVERSATIONS, Right.SEE_KNOWLEDGE, Right.SEE_TRACE}

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.ADMIN: frozenset(Right) - {Right.MANAGE_OWNERS, Right.MANAGE_SECURITY},
    Role.EDITOR: frozenset(_VIEW | {Right.EDIT_KNOWLEDGE}),
    Role.REVIEWER: frozenset(_VIEW | {Right.REPLY, Right.READ_TRACE_CONTENT, Right.REVIEW_ANSWERS}),
    Role.AGENT: frozenset(_VIEW | {Right.REPLY}),
    Role.VIEWER: frozenset(_VIEW),
}


def has_right(role: str, right: Right) -> bool:
    """Whether the role carries the right; an unknown role carries none."""
    try:
        return right in RIGHTS[Role(role)]
    except ValueError:
        return False

"""Everything that can happen, and who can have done it. The values are contracts: they stand in rows (docs/facts.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db import models


class FactKind(StrEnum):
    """What happened."""

    MESSAGE_POSTED = "message.posted"
    REPLY_QUEUED = "reply.queued"
    REPLY_BEGUN = "reply.begun"
    REPLY_DONE = "reply.done"
    REPLY_FAILED = "reply.failed"
    FEEDBACK_GIVEN = "feedback.given"
    STATUS_CHANGED = "conversation.status_changed"
    TRANSCRIPT_REQUESTED = "transcript.requested"
    CONVERSATION_RATED = "conversation.rated"
    NOTE_ADDED = "note.added"
    HAND_OFF_UNCLAIMED = "hand_off.unclaimed"
    HAND_OFF_RULES_CHANGED = "hand_off_rules.changed"
    ASSIGNED = "conversation.assigned"
    STAGE_CHANGED = "conversation.stage_changed"
    PRIORITY_CHANGED = "conversation.priority_changed"
    LABELLED = "conversation.labelled"
    UNLABELLED = "conversation.unlabelled"
    LABEL_CREATED = "label.created"
    LABEL_CHANGED = "label.changed"
    LABEL_DELETED = "label.deleted"
    TEAM_CREATED = "team.created"
    TEAM_CHANGED = "team.changed"
    TEAM_DELETED = "team.deleted"
    ASSIGNMENT_CHANGED = "assignment.changed"
    MACRO_CREATED = "macro.created"
    MACRO_CHANGED = "macro.changed"
    MACRO_DELETED = "macro.deleted"
    CANNED_REPLY_CREATED = "canned_reply.created"
    CANNED_REPLY_CHANGED = "canned_reply.changed"
    CANNED_REPLY_DELETED = "canned_reply.deleted"
    BATCH_ENDED = "batch.ended"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    INVITATION_CREATED = "invitation.created"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_ACCEPTED = "invitation.accepted"
    MEMBERSHIP_CHANGED = "membership.changed"
    MEMBERSHIP_ENDED = "membership.ended"
    ARTICLE_PUBLISHED = "article.published"
    ARTICLE_ARCHIVED = "article.archived"
    ARTICLE_RESTORED = "article.restored"
    ASSISTANT_CHANGED = "assistant.changed"
    WIDGET_CHANGED = "widget.changed"
    PRE_CHAT_CHANGED = "pre_chat.changed"
    OPENING_HOURS_CHANGED = "opening_hours.changed"
    IDENTITY_KEY_CREATED = "identity_key.created"
    IDENTITY_KEY_REVOKED = "identity_key.revoked"
    TRACE_READ = "trace.read"
    RETENTION_CHANGED = "retention.changed"
    REVIEW_GIVEN = "review.given"
    REVIEW_TAKEN_BACK = "review.taken_back"
    REVIEW_RULES_CHANGED = "review_rules.changed"
    REVIEWS_EXPORTED = "reviews.exported"


class ActorKind(models.TextChoices):
    """Who did it."""

    USER = "user"
    API_KEY = "api_key"
    CUSTOMER = "customer"
    AI = "ai"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something; `id` is that of the user, the key or the visitor, and empty for the others."""

    kind: ActorKind
    id: str = ""


SYSTEM = Actor(ActorKind.SYSTEM)
AI = Actor(ActorKind.AI)


def user_actor(user: models.Model | None) -> Actor:
    """The person; without one it was done from the shell."""
    return Actor(ActorKind.USER, str(user.pk)) if user is not None else SYSTEM

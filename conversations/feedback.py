"""Ratings of AI answers: one for each answer and kind of giver, which they may change."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Author, Feedback, FeedbackReason, Giver, Message, Rating, Reply
from conversations.validation import clean_comment
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.facts.kinds import Actor, ActorKind, FactKind
from helpdesk.facts.recording import record
from helpdesk.tenants.scope import tenant_atomic

ACTORS = {Giver.CUSTOMER: ActorKind.CUSTOMER, Giver.AGENT: ActorKind.USER, Giver.API: ActorKind.API_KEY}


def give_feedback(
    *,
    tenant_id: UUID,
    message_id: UUID,
    rating: object,
    reason: object = "",
    comment: object = "",
    given_by: Giver = Giver.CUSTOMER,
    visitor_id: UUID | None = None,
    actor_id: str = "",
) -> Feedback:
    """Rate the AI answer `message_id`; a later call replaces what the same giver said before.

    A customer has to be the answer's own visitor; of others `actor_id` says who it was. Raises NotFound for any other
    message, InvalidInput for a rating, reason or comment that cannot be kept.
    """
    fields = {
        "rating": _clean_rating(rating),
        "reason": _clean_reason(reason, rating),
        "comment": clean_comment(comment),
        "updated_at": timezone.now(),
    }
    with tenant_atomic(tenant_id):
        reply = _rated_reply(message_id, given_by, visitor_id)
        feedback: Feedback = Feedback.objects.update_or_create(reply=reply, given_by=given_by, defaults=fields)[0]
        record(
            FactKind.FEEDBACK_GIVEN, conversation_id=reply.conversation_id, subject_id=message_id,
            actor=Actor(ACTORS[given_by], str(visitor_id or actor_id)),
            reply_id=reply.id, given_by=str(given_by), rating=feedback.rating, reason=feedback.reason,
        )  # fmt: skip
        return feedback


def blank_comments(rows: QuerySet[Feedback]) -> int:
    """Empty what people wrote in these rows; ratings and reasons stay. Returns how many had a comment."""
    return rows.exclude(comment="").update(comment="")


def _rated_reply(message_id: UUID, given_by: Giver, visitor_id: UUID | None) -> Reply:
    messages = Message.objects.filter(id=message_id, author=Author.AI, answer_to__isnull=False)
    if visitor_id is not None or given_by == Giver.CUSTOMER:
        messages = messages.filter(conversation__visitor_id=visitor_id)
    rows = messages.select_related("answer_to", "conversation")
    # The conversation's lock, under which everything that happens in it is recorded.
    message: Message | None = rows.select_for_update(no_key=True, of=("conversation",)).first()
    if message is None:
        raise NotFound
    reply: Reply = message.answer_to
    return reply


def _clean_rating(rating: object) -> str:
    if rating not in Rating.values:
        raise InvalidInput(_("A rating is “up” or “down”."))
    return str(rating)


def _clean_reason(reason: object, rating: object) -> str:
    if reason in ("", None) or (rating == Rating.UP and reason in FeedbackReason.values):
        return ""
    if reason not in FeedbackReason.values:
        raise InvalidInput(_("A reason is one of: %(reasons)s.") % {"reasons": ", ".join(FeedbackReason.values)})
    return str(reason)

"""A customer's rating of an answer, and what follows from it: a thumb down can call for a person."""

from __future__ import annotations

from uuid import UUID

from conversations.feedback import give_feedback
from conversations.models import Feedback, Rating
from conversations.replies import hand_over, reason_of_rating
from helpdesk.tenants.scope import tenant_atomic


def rate_answer(
    *, tenant_id: UUID, visitor_id: UUID, message_id: UUID, rating: object, reason: object = "", comment: object = ""
) -> Feedback:
    """Keep what the customer thinks of it; by the company's rules the conversation then waits for a person.

    Raises as `give_feedback` does.
    """
    with tenant_atomic(tenant_id):
        feedback = give_feedback(
            tenant_id=tenant_id,
            visitor_id=visitor_id,
            message_id=message_id,
            rating=rating,
            reason=reason,
            comment=comment,
        )
        reply = feedback.reply
        why = reason_of_rating(reply, reply.conversation) if feedback.rating == Rating.DOWN else None
        if why is not None:
            hand_over(reply.conversation, reason=why, language=reply.conversation.language, reply=reply)
        return feedback

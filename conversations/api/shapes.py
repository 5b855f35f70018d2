"""Rows as the objects that programs get."""

from __future__ import annotations

from typing import Any

from conversations.failures import sentence_for_api_client
from conversations.models import Conversation, Message, Reply
from conversations.queries import describe_message


def describe_api_conversation(conversation: Conversation) -> dict[str, Any]:
    """A conversation; needs `visitor` and `assignee`."""
    return {
        "id": str(conversation.id),
        "status": conversation.status,
        "channel": conversation.channel,
        "language": conversation.language,
        "customer": conversation.visitor.reference or None,
        "assignee": str(conversation.assignee) if conversation.assignee else None,
        "message_count": conversation.message_count,
        "created_at": conversation.created_at.isoformat(),
        "last_message_at": conversation.last_message_at.isoformat(),
    }


def describe_api_reply(reply: Reply) -> dict[str, Any]:
    """A reply, with the answer when there is one."""
    answer = (
        Message.objects.select_related("user", "answer_to", "conversation__assistant").get(id=reply.answer_id)
        if reply.answer_id
        else None
    )
    return {
        "id": str(reply.id),
        "conversation": str(reply.conversation_id),
        "question": str(reply.question_id),
        "status": reply.status,
        "attempt": reply.attempt,
        "queued_at": reply.queued_at.isoformat(),
        "finished_at": reply.finished_at.isoformat() if reply.finished_at else None,
        "answer": describe_message(answer) if answer else None,
        "error": {"code": reply.error_code, "message": sentence_for_api_client(reply.error_code)}
        if reply.error_code
        else None,
    }

"""Conversations that a program sends whole: everything said so far and, last, what to answer."""

from __future__ import annotations

from collections.abc import Sequence

from conversations.domain import queue_reply
from conversations.models import Assistant, Author, Channel, Conversation, Message, Reply, Visitor
from conversations.parameters import RequestParameters
from conversations.transcript import append_message
from knowledge.text import detect_language


def begin_chat(
    *,
    visitor: Visitor,
    assistant: Assistant,
    turns: Sequence[tuple[Author, str]],
    parameters: RequestParameters,
) -> Reply:
    """Store the conversation and queue the answer to its last turn. Runs inside the caller's `tenant_atomic`.

    Raises Busy when the line is full.
    """
    *earlier, (author, question) = turns
    language = detect_language(question)
    conversation: Conversation = Conversation.objects.create(
        visitor=visitor,
        assistant=assistant,
        channel=Channel.API,
        language=language,
        message_count=len(earlier),
    )
    Message.objects.bulk_create(
        Message(conversation=conversation, position=position, author=said_by, body=body, language=language)
        for position, (said_by, body) in enumerate(earlier, 1)
    )
    message = append_message(conversation, author=author, body=question, language=language)
    return queue_reply(conversation, message, parameters=parameters)

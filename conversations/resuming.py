"""The assistant goes on: what the customer wrote while it was not answering is answered now, with all that was said."""

from __future__ import annotations

from django.conf import settings

from conversations.admission import admit
from conversations.models import Author, Conversation, Message, PriorityClass, Reply, ReplyPurpose
from conversations.parameters import RequestParameters
from conversations.replies import queue_reply
from helpdesk.errors import Busy
from helpdesk.queue.lengths import UNKNOWN_QUEUE


def answer_what_is_open(conversation: Conversation) -> Reply | None:
    """Queue the answer to the customer's last message if nobody has answered it. Runs inside the caller's transaction.

    None when there is nothing to answer, the assistant had its try, or the company's queue is full.
    """
    said = Message.objects.filter(conversation_id=conversation.id).exclude(author=Author.SYSTEM)
    last: Message | None = said.order_by("-position").first()
    if last is None or last.author != Author.CUSTOMER:
        return None
    if Reply.objects.filter(question=last, purpose=ReplyPurpose.ANSWER).exists():
        return None
    try:
        # Rows are locked here: the queue's own length cannot be asked for any more.
        admission = admit(PriorityClass.INTERACTIVE, UNKNOWN_QUEUE)
    except Busy:
        return None
    return queue_reply(
        conversation,
        last,
        priority_class=PriorityClass.INTERACTIVE,
        priority=admission.priority,
        wait_seconds=admission.wait_seconds,
        parameters=RequestParameters(),
        deadline_seconds=settings.REPLY_DEADLINE_SECONDS,
    )

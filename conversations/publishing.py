"""Facts about conversations as entries of the streams that sockets follow: the conversation's own and the inbox's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import redis
import structlog

from conversations.channels import rules_of
from conversations.entries import (
    AnswerStored,
    InboxChanged,
    MessagePosted,
    ReplyBegun,
    ReplyFailed,
    StatusChanged,
    StreamEntry,
    to_plain,
)
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact
from helpdesk.streams.entries import conversation_stream, inbox_stream
from helpdesk.streams.writer import publish_together
from helpdesk.tenants.scope import current_tenant_id

logger = structlog.get_logger(__name__)

STREAMED = frozenset(
    {
        FactKind.MESSAGE_POSTED,
        FactKind.FEEDBACK_GIVEN,
        FactKind.REPLY_QUEUED,
        FactKind.REPLY_BEGUN,
        FactKind.REPLY_DONE,
        FactKind.REPLY_FAILED,
        FactKind.STATUS_CHANGED,
        FactKind.CONVERSATION_RATED,
        FactKind.HAND_OFF_UNCLAIMED,
        FactKind.ASSIGNED,
        FactKind.STAGE_CHANGED,
        FactKind.PRIORITY_CHANGED,
        FactKind.LABELLED,
        FactKind.UNLABELLED,
    }
)
# What the company's people do among themselves: nothing of it concerns whoever follows the conversation.
AMONG_PEOPLE = frozenset({FactKind.STAGE_CHANGED, FactKind.PRIORITY_CHANGED, FactKind.LABELLED, FactKind.UNLABELLED})


def publish_fact(fact: Fact) -> None:
    """Tell the conversation's sockets, and the tenant's desks if they show it, that something changed in it. Raises RedisError.

    Both entries carry the fact's id, so that a reader drops one that comes again.
    """
    tenant_id, conversation_id = current_tenant_id(), fact.lane
    entries = {}
    if fact.kind not in AMONG_PEOPLE:
        entries[conversation_stream(tenant_id, conversation_id)] = to_plain(entry_of(fact))
    channel = fact.data.get("channel")
    if channel is None or rules_of(channel).admits_people:
        entries[inbox_stream(tenant_id)] = to_plain(InboxChanged(conversation=conversation_id))
    publish_together(entries, fact=str(fact.id))


def publish_softly(entries: Mapping[str, dict[str, Any]]) -> None:
    """Tell sockets of what nobody has to learn for certain, and from which nothing follows later: it is no fact."""
    try:
        publish_together(entries)
    except redis.RedisError as error:
        logger.warning("news_not_published", error=type(error).__name__)


def entry_of(fact: Fact) -> StreamEntry:
    """What the conversation's stream says of the fact."""
    subject_id = fact.subject_id
    if subject_id is None:
        return StatusChanged()
    match fact.kind:
        case FactKind.MESSAGE_POSTED | FactKind.FEEDBACK_GIVEN:
            return MessagePosted(message_id=subject_id)
        case FactKind.REPLY_QUEUED:
            return ReplyBegun(reply=subject_id, attempt=0, wait_seconds=fact.data.get("wait_seconds"))
        case FactKind.REPLY_BEGUN:
            return ReplyBegun(reply=subject_id, attempt=fact.data["attempt"])
        case FactKind.REPLY_DONE:
            message_id = UUID(fact.data["message_id"])
            return AnswerStored(reply=subject_id, attempt=fact.data["attempt"], message_id=message_id)
        case FactKind.REPLY_FAILED:
            return ReplyFailed(reply=subject_id, code=fact.data["code"])
    raise ValueError(fact.kind)

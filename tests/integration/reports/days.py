"""Conversations at moments of the test's choice, as their own rows: what they are counted as is what the tests are about."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from conversations.models import (
    Assistant,
    Conversation,
    ConversationStatus,
    Feedback,
    HandOff,
    Message,
    Reply,
    Visitor,
)
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def talk(tenant: Tenant, begins: datetime, lines: Sequence[tuple[float, str, Any]], **fields: Any) -> uuid.UUID:
    """A conversation. Each line is its second, its author, and an outcome, a user or an event."""
    with tenant_atomic(tenant.id):
        conversation = Conversation.objects.create(
            visitor=Visitor.objects.create(), assistant=Assistant.objects.get(), created_at=begins,
            message_count=len(lines), **{"status": ConversationStatus.AI} | fields,
        )  # fmt: skip
        question: Message | None = None
        for position, (second, author, what) in enumerate(lines, 1):
            at = begins + timedelta(seconds=second)
            message = Message.objects.create(
                conversation=conversation, position=position, author=author, created_at=at,
                body=what[0] if author == "system" else "…", outcome=what if author == "ai" else "",
                user_id=what[1] if author == "system" else what if author == "person" else None,
            )  # fmt: skip
            if author == "customer":
                question = message
            elif author == "ai" and question is not None:
                Reply.objects.create(
                    conversation=conversation, question=question, answer=message, status="done", deadline_at=at
                )
        return conversation.id  # type: ignore[no-any-return]


def rate(tenant: Tenant, conversation_id: uuid.UUID, rating: str, at: datetime) -> None:
    with tenant_atomic(tenant.id):
        reply = Reply.objects.filter(conversation_id=conversation_id).latest("answer__position")
        Feedback.objects.create(reply=reply, given_by="customer", rating=rating, created_at=at)


def wait(
    tenant: Tenant, conversation_id: uuid.UUID, began: datetime, minutes: float = 0, end: str = "", **fields: Any
) -> None:
    with tenant_atomic(tenant.id):
        HandOff.objects.create(
            conversation_id=conversation_id, reason=fields.pop("reason", "requested"), began_at=began, alarm_at=began,
            ended_at=began + timedelta(minutes=minutes) if end else None, end=end, **fields,
        )  # fmt: skip

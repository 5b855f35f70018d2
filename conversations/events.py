"""What is said of a reply or of a conversation's state when it is recorded as a fact. Runs under the conversation's lock."""

from __future__ import annotations

from uuid import UUID

from conversations.models import ConversationStatus, Reply, Stage
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import Value, record


def record_reply(kind: FactKind, reply: Reply, channel: str, *, actor: Actor = SYSTEM, **data: Value) -> None:
    """What became of the reply."""
    record(
        kind, conversation_id=reply.conversation_id, subject_id=reply.id, actor=actor,
        attempt=reply.attempt, channel=channel, **data,
    )  # fmt: skip


def record_status(
    conversation_id: UUID, status: ConversationStatus, *, actor: Actor, assignee_id: int | None = None
) -> None:
    """Who has to act from now on."""
    record(
        FactKind.STATUS_CHANGED, conversation_id=conversation_id, actor=actor, status=str(status), assignee=assignee_id
    )


def record_stage(conversation_id: UUID, stage: Stage, *, actor: Actor) -> None:
    """How far it is from now on."""
    record(FactKind.STAGE_CHANGED, conversation_id=conversation_id, actor=actor, stage=str(stage))

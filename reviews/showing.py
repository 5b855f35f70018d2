"""What a reviewer sees of one answer: what stands in the transcript and its sources. Runs inside `tenant_atomic`.

Nothing sealed: the record of how the answer came about is opened from the page by its own door, with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from conversations.models import Feedback, HandOff, HandOffReason, Message, Reply
from conversations.queries import history_before
from reviews.models import Review, ReviewItem, Round
from tracing.charts import Piece, pieces
from tracing.models import Trace

EARLIER = 4


@dataclass(frozen=True, slots=True)
class ShownSource:
    """A passage that the answer cites; `pieces` have the quoted words marked."""

    source: dict[str, Any]
    pieces: list[Piece]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAnswer:
    """Question, answer and evidence. `earlier` holds the reviews before this one: of a disagreement only."""

    item: ReviewItem
    conversation_id: UUID
    history: Sequence[Message]
    question: Message
    answer: Message
    sources: Sequence[ShownSource]
    feedback: Sequence[Feedback]
    handed_over: Sequence[str]
    has_record: bool
    earlier: Sequence[Review]


def shown_answer(item: ReviewItem) -> ShownAnswer:
    """Everything that the page of this answer shows."""
    rows = Reply.objects.filter(id=item.reply_id).select_related("question", "answer")
    reply: Reply = rows.prefetch_related("feedback").get()
    answer: Message = reply.answer  # type: ignore[assignment]
    hand_offs = HandOff.objects.filter(reply=reply).order_by("began_at").values_list("reason", flat=True)
    # Whoever reviews blind is not told, by the page either.
    is_settling = item.round == Round.THIRD
    return ShownAnswer(
        item=item,
        conversation_id=reply.conversation_id,
        history=history_before(reply.question, limit=EARLIER),
        question=reply.question,
        answer=answer,
        sources=[ShownSource(source, _marked(source)) for source in answer.sources],
        feedback=list(reply.feedback.all()),
        handed_over=[str(HandOffReason(reason).label) for reason in hand_offs],
        has_record=Trace.objects.filter(reply_id=reply.id).exists(),
        earlier=list(item.reviews.order_by("round")) if is_settling else [],
    )


def _marked(source: dict[str, Any]) -> list[Piece]:
    """The passage with what was quoted of it; the quote alone where the passage was not kept."""
    passage, quote = source.get("passage") or source["quote"], source["quote"]
    start = passage.find(quote)
    return pieces(passage, [(start, start + len(quote))] if start >= 0 and quote else [])

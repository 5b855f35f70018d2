"""What reviews found: the settled answers, the newest first, with what to mend. Runs inside `tenant_atomic`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from reviews.models import Cause, Review, ReviewItem, Verdict

ROWS_PER_PAGE = 25
# Where an article is missing, or does not say it so that it is found.
IS_GAP = frozenset({str(Cause.RETRIEVAL_MISSED), str(Cause.SHOULD_ANSWER)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A settled answer. `articles` are id and title of what it cited; `is_gap` where a new article may be the remedy."""

    item: ReviewItem
    conversation_id: UUID
    question: str
    answer: str
    verdict: str
    cause: str
    correction: str
    notes: Sequence[str]
    articles: Sequence[tuple[str, str]]
    is_gap: bool


def findings(*, verdict: str = "", cause: str = "", page: int = 1) -> tuple[list[Finding], bool]:
    """One page, and whether there are more; empty values do not restrict."""
    wanted = {name: value for name, value in (("verdict", verdict), ("cause", cause)) if value}
    rows: QuerySet[ReviewItem] = ReviewItem.objects.filter(
        done_at__isnull=False, reply__conversation__deleted_at__isnull=True, **wanted
    )
    rows = rows.select_related("reply__question", "reply__answer").prefetch_related("reviews")
    start = (page - 1) * ROWS_PER_PAGE
    found = list(rows.order_by("-done_at", "-id")[start : start + ROWS_PER_PAGE + 1])
    return [_finding(item) for item in found[:ROWS_PER_PAGE]], len(found) > ROWS_PER_PAGE


def _finding(item: ReviewItem) -> Finding:
    reviews: list[Review] = sorted(item.reviews.all(), key=lambda review: -review.round)
    agreeing = [review for review in reviews if (review.verdict, review.cause) == (item.verdict, item.cause)]
    sources: list[dict[str, Any]] = item.reply.answer.sources if item.reply.answer else []
    is_wrong = item.verdict == Verdict.WRONG
    return Finding(
        item=item,
        conversation_id=item.reply.conversation_id,
        question=item.reply.question.body,
        answer=item.reply.answer.body if item.reply.answer else "",
        verdict=str(Verdict(item.verdict).label),
        cause=str(Cause(item.cause).label) if is_wrong else "",
        correction=next((review.correction for review in agreeing if review.correction), ""),
        notes=[review.note for review in reversed(reviews) if review.note],
        articles=list({source["article"]: source["title"] for source in sources}.items()),
        is_gap=item.cause in IS_GAP,
    )

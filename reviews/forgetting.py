"""What reviewers wrote goes with the answers that they wrote about. Runs inside `tenant_atomic`."""

from __future__ import annotations

from django.db.models import QuerySet

from conversations.models import Reply
from reviews.models import Review


def blank_reviews(replies: QuerySet[Reply]) -> int:
    """Empty corrections and notes about these replies; verdicts and causes stay. Returns how many rows had any."""
    rows = Review.objects.filter(item__reply__in=replies).exclude(correction="", note="")
    return rows.update(correction="", note="")

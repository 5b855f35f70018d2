"""What waits for review. Runs inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils import timezone

from helpdesk.users.models import User
from reviews.domain import waiting_for
from reviews.models import Review, ReviewItem, Round, SampledFor
from tracing.queries import midnight


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many answers wait: for anybody, for what reason and in which round, and for the person who asks."""

    total: int
    second: int
    third: int
    by_reason: dict[str, int]
    for_me: int


def waiting(user: User) -> Waiting:
    """The sizes of the queues now."""
    rows = ReviewItem.objects.filter(done_at__isnull=True, reply__conversation__deleted_at__isnull=True)
    counts = rows.aggregate(
        total=Count("id"),
        second=Count("id", filter=Q(round=Round.SECOND)),
        third=Count("id", filter=Q(round=Round.THIRD)),
        **{name: Count("id", filter=Q(sampled_for=name)) for name in SampledFor.values},
    )
    return Waiting(
        total=counts["total"],
        second=counts["second"],
        third=counts["third"],
        by_reason={name: counts[name] for name in SampledFor.values},
        for_me=waiting_for(user).count(),
    )


def reviewed_today(user: User) -> int:
    """How many answers the person has reviewed since midnight."""
    return int(Review.objects.filter(user=user, created_at__gte=midnight(timezone.localdate())).count())

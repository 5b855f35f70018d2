"""How much cached answers saved. Runs inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.models import CacheKind
from tracing.queries import TraceFilter, filtered_traces, midnight


@dataclass(frozen=True, slots=True)
class CachedAnswers:
    """Cached answers that were used: for the same question, for a similar one, and the tokens that they saved."""

    exact: int
    semantic: int
    saved_tokens: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.exact + self.semantic


def cached_answers(wanted: TraceFilter, *, period: int) -> CachedAnswers:
    """Those of the last `period` days up to today. The filter's own days do not count."""
    first_day = timezone.localdate() - timedelta(days=period - 1)
    rows = filtered_traces(replace(wanted, since=None, until=None)).exclude(cache="")
    figures = rows.filter(created_at__gte=midnight(first_day)).aggregate(
        exact=Count("created_at", filter=Q(cache=CacheKind.EXACT)),
        semantic=Count("created_at", filter=Q(cache=CacheKind.SEMANTIC)),
        saved_tokens=Coalesce(Sum("saved_tokens"), 0),
    )
    return CachedAnswers(**figures)

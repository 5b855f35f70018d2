"""What the list of traces shows over time."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from tracing import words
from tracing.cached_answers import cached_answers
from tracing.queries import TraceFilter
from tracing.trend_charts import trend_charts
from tracing.trends import PERIODS, days_of

DEFAULT_PERIOD = 30


def trends_context(asked: str, wanted: TraceFilter, filters: dict[str, Any]) -> dict[str, Any]:
    """The charts of the asked period (a number of days, else the default) for the list's filter."""
    period = next((days for days in PERIODS if str(days) == asked), DEFAULT_PERIOD)
    choices = [
        {"days": days, "is_current": days == period, "query": urlencode({**filters, "period": days})}
        for days in PERIODS
    ]
    trends, cached = trend_charts(days_of(wanted, period=period)), cached_answers(wanted, period=period)
    share = words.percent(min(cached.total / trends.total, 1.0)) if cached.total and trends.total else ""
    return {"trends": trends, "periods": choices, "cached_answers": cached, "cached_share": share}

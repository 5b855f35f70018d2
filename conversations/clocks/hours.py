"""The company's open time, in which clocks run. Runs inside `tenant_atomic`.

The one place that knows when a company is open: today that is always.
"""

from __future__ import annotations

from datetime import datetime, timedelta


def open_seconds(since: datetime, until: datetime) -> float:
    """How long the company was open between the two moments; 0 when they are the other way round."""
    return max((until - since).total_seconds(), 0.0)


def after_open_seconds(since: datetime, seconds: float) -> datetime:
    """The moment at which it has been open for so long since then."""
    return since + timedelta(seconds=seconds)


def is_open(_at: datetime) -> bool:
    """Whether the company is open at that moment."""
    return True

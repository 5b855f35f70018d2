"""The company's open time, in which clocks run. Runs inside `tenant_atomic`. A company without business hours is always open."""

from __future__ import annotations

from datetime import datetime

from conversations.opening.stored import after_minutes_open, current_hours


def open_seconds(since: datetime, until: datetime) -> float:
    """How long the company was open between the two moments; 0 when they are the other way round."""
    hours = current_hours()
    open_time = until - since if hours is None else hours.open_between(since, until)
    return max(open_time.total_seconds(), 0.0)


def after_open_seconds(since: datetime, seconds: float) -> datetime:
    """The moment at which it has been open for so long since then."""
    return after_minutes_open(since, seconds / 60)


def is_open(at: datetime) -> bool:
    """Whether people are there at that moment."""
    hours = current_hours()
    return hours is None or hours.is_open(at)

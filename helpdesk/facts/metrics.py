"""Deliveries of facts, counted in the process that delivers."""

from __future__ import annotations

from prometheus_client import Counter

DELIVERIES = Counter(
    "glassdesk_fact_deliveries",
    "Facts handed to a subscriber: at once, relayed later, failed (and tried again), or parked after too many failures.",
    ["subscriber", "outcome"],
)


def count_deliveries(subscriber: str, outcome: str, count: int = 1) -> None:
    """Count so many of at_once, relayed, failed or parked."""
    DELIVERIES.labels(subscriber, outcome).inc(count)

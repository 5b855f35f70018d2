"""How replies end, counted where they end: in whichever process finishes or fails them."""

from __future__ import annotations

from prometheus_client import Counter

REPLIES = Counter(
    "glassdesk_replies",
    "Replies that have ended. `reason` is the code of a failure.",
    ["outcome", "channel", "reason"],
)
FAILED = "failed"


def count_reply(*, outcome: str, channel: str, reason: str = "") -> None:
    """Count one reply; `outcome` is answered, refused, stopped or failed."""
    REPLIES.labels(outcome, channel, reason).inc()

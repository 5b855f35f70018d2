"""The names of figures, and the buckets that durations are counted in. Pure functions.

A figure is called `group:part`, such as `hand_offs:requested`; `csat:ai:5` and its like are free for ratings of whole
conversations. Durations are counted in buckets each a tenth wider than the one before: a percentile is read from them with
an error below five per cent, and the buckets of any days can be added.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

Figures = Counter[str]

CONVERSATIONS = "conversations"
MESSAGES, HOURS, ANSWERS = "messages", "hour", "answers"
FIRST_REPLY, WAIT, RESOLUTION = "first_reply", "wait", "resolution"
RESOLVED, ANSWERED_BY = "resolved", "answered_by"
HAND_OFFS, ENDS, ABANDONED = "hand_offs", "hand_off_ends", "abandoned"
RATINGS, AGENTS = "ratings", "agent"

GROWTH = 1.1
# 1.1 to the 169th is 115 days; what took longer is counted there.
LAST_BUCKET = 169


def bucket_of(seconds: float) -> int:
    """0 is under a second; bucket n ends at GROWTH to the n-th seconds."""
    return 0 if seconds < 1 else min(1 + math.floor(math.log(seconds) / math.log(GROWTH)), LAST_BUCKET)


def group(figures: Mapping[str, int], name: str) -> dict[str, int]:
    """The parts of a group with their numbers."""
    prefix = f"{name}:"
    return {key.removeprefix(prefix): number for key, number in figures.items() if key.startswith(prefix)}


def percentile(figures: Mapping[str, int], name: str, share: float) -> float | None:
    """The duration in seconds that this share of the counted ones stayed below; None where nothing was counted."""
    counted = sorted((int(part), number) for part, number in group(figures, name).items())
    total = sum(number for _, number in counted)
    passed, wanted = 0, share * total
    for bucket, number in counted:
        if passed + number >= wanted and number:
            low, high = (0.0, 1.0) if bucket == 0 else (GROWTH ** (bucket - 1), GROWTH**bucket)
            return low + (high - low) * (wanted - passed) / number
        passed += number
    return None

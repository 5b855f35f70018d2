"""Giving an earlier answer again: streamed like a new one, so that the customer sees it come and may stop it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from inference_worker.answering.means import Means
from inference_worker.answering.results import Draft, Original

STEP = "repeat"
# The customer sees that it is being written, and may stop it; together less than the blink of an eye.
PIECES = 10
PAUSE_SECONDS = 0.008


def repeat(original: Original, means: Means) -> Draft:
    """Stream the original's text. Raises WorkerStopping or DeadlinePassed."""
    text, first_ms = "", None
    with means.steps.step(STEP):
        for piece in _pieces(original.message.body):
            if means.watch.stop.is_set:
                return Draft(text=text.strip(), is_stopped=True, first_ms=first_ms)
            means.watch.check_while_writing()
            means.stream.add(piece)
            means.stream.flush()
            first_ms = means.steps.now_ms() if first_ms is None else first_ms
            text += piece
            time.sleep(PAUSE_SECONDS)
    return Draft(text=text.strip(), first_ms=first_ms)


def _pieces(text: str) -> Iterator[str]:
    """The text in PIECES parts of about the same length."""
    size = max(1, math.ceil(len(text) / PIECES))
    return (text[start : start + size] for start in range(0, len(text), size))

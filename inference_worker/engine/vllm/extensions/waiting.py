"""Lets vLLM's engine and worker processes nap while they wait for each other, on a CPU.

For a second after every message vLLM's reader looks for the next one again and again, which spares a GPU's step some
microseconds. A step on a CPU takes tenths of a second, and the core that is spent on looking is one that the model, the
search and the web server could use. So it looks after short naps, which grow with the wait. After that second it sleeps
until it is notified, as vLLM has it. (Notifications from the beginning made the tokens of one test three times as slow.)
"""

from __future__ import annotations

import time

from vllm.distributed.device_communicators import shm_broadcast

# A nap is this share of the time waited so far, so that a message waits no longer than that for being seen.
NAP_SHARE = 0.02
LONGEST_NAP_SECONDS = 0.002


class NappingCondition(shm_broadcast.SpinCondition):  # type: ignore[misc]
    """Naps where vLLM only yields."""

    def wait(self, timeout_ms: int | None = None) -> None:
        """Return soon after a message may have come."""
        waited = time.monotonic() - self.last_read
        if waited <= self.busy_loop_s:
            time.sleep(min(waited * NAP_SHARE, LONGEST_NAP_SECONDS))
        else:
            super().wait(timeout_ms)


def use() -> None:
    """Let the queues that this process opens from now on wait like that."""
    shm_broadcast.SpinCondition = NappingCondition

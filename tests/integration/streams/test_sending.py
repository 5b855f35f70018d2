"""A web process beside a broker that takes connections and never answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.facts.hanging_redis import hanging_redis

ROOT = Path(__file__).resolve().parents[3]
SEND_AS_A_WEB_PROCESS = """
import time, uuid
import helpdesk.asgi
from conversations.queueing import enqueue_reply
began = time.monotonic()
enqueue_reply(uuid.uuid4(), uuid.uuid4(), model="", priority=0)
print(time.monotonic() - began)
"""


def test_a_broker_that_hangs_keeps_whoever_sends_no_longer_than_its_timeout() -> None:
    with hanging_redis() as address:
        ended = subprocess.run(
            [sys.executable, "-c", SEND_AS_A_WEB_PROCESS],
            env=os.environ | {"REDIS_URL": address, "GLASSDESK_STARTUP_CHECKS": "0", "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert 4 < float(ended.stdout.splitlines()[-1]) < 12
    assert "reply_not_enqueued" in ended.stdout + ended.stderr

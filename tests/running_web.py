"""The web server alone, beside the tests' own database and Redis: pages, files and sockets, and no engine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import ROOT
from tests.running_stack import free_port

START_SECONDS = 60


@contextmanager
def running_web(host: str = "127.0.0.1", **variables: str) -> Iterator[int]:
    """Daphne on a free port of this address, which it yields."""
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-v", "0", "-b", host, "-p", str(port), "helpdesk.asgi:application"]
    environment = os.environ | {"GLASSDESK_STARTUP_CHECKS": "0", "GLASSDESK_ALLOWED_HOSTS": "*"} | variables
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        _wait_until_it_answers(f"http://{host}:{port}/static/widget/loader.js", process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, "the web server has ended"
            assert time.monotonic() < deadline, "the web server does not answer"
            time.sleep(0.1)

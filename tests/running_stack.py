"""A real stack for tests: `manage.py up` in a process of its own, with its own data folder and port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT

START_SECONDS = 900
SET_BY_TESTS = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "GLASSDESK_MASTER_KEY",
    "GLASSDESK_SECRET_KEY",
    "GLASSDESK_STARTUP_CHECKS",
    "GLASSDESK_AUTOMATIC_ATTRIBUTION",
)


@dataclass
class RunningStack:
    """A desk that `manage.py up` started."""

    base_url: str
    data: Path
    process: subprocess.Popen[str]
    environment: dict[str, str]
    lines: list[str] = field(default_factory=list)

    def manage(self, *arguments: str) -> str:
        """Run a management command against this stack."""
        command = [sys.executable, "manage.py", *arguments]
        outcome = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        return outcome.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_stack(data: Path, **variables: str) -> RunningStack:
    """Start `manage.py up` and wait until it says that it serves, and then until all articles are indexed."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in SET_BY_TESTS}
    environment |= {"GLASSDESK_DATA": str(data), "PORT": str(port), "GLASSDESK_ENGINE": "vllm"}
    # Whatever the machine: tests ask no hub.
    environment |= {"GLASSDESK_CHAT_MODEL": "packaged"} | variables
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stack = RunningStack(f"http://localhost:{port}", data, process, environment)
    threading.Thread(target=_collect, args=(stack,), daemon=True).start()
    deadline = time.monotonic() + START_SECONDS
    while not any("Stop with Ctrl-C" in line for line in stack.lines):
        if process.poll() is not None or time.monotonic() > deadline:
            process.send_signal(signal.SIGTERM)
            raise AssertionError("the stack did not start:\n" + "".join(stack.lines[-60:]))
        time.sleep(0.2)
    stack.manage("wait_until_indexed")
    return stack


def _collect(stack: RunningStack) -> None:
    assert stack.process.stdout is not None
    for line in stack.process.stdout:
        stack.lines.append(line)


def stop_stack(stack: RunningStack) -> float:
    """Stop with SIGTERM; returns the seconds that it took."""
    begun = time.monotonic()
    stack.process.send_signal(signal.SIGTERM)
    stack.process.wait(60)
    return time.monotonic() - begun

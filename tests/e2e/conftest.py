"""A real stack for the browser: `manage.py up` with its own data folder, the real engine, and Chromium."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import ROOT

START_SECONDS = 420
SET_BY_TESTS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "GLASSDESK_MASTER_KEY", "GLASSDESK_SECRET_KEY")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
    """Start `manage.py up` and wait until it says that it serves."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in SET_BY_TESTS}
    environment |= {"GLASSDESK_DATA": str(data), "PORT": str(port), "GLASSDESK_ENGINE": "vllm"} | variables
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


@pytest.fixture(scope="package")
def stack() -> Iterator[RunningStack]:
    """The whole product with the demo tenants, shared by the journeys."""
    data = Path(tempfile.mkdtemp(prefix="glassdesk-e2e-"))
    running = start_stack(data)
    yield running
    seconds = stop_stack(running)
    shutil.rmtree(data, ignore_errors=True)
    assert seconds < 15


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    binary = os.environ.get("GLASSDESK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert binary, "Chromium is missing: run `make browser`, or name a binary with GLASSDESK_CHROMIUM."
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=binary, args=CHROMIUM_FLAGS)
        yield instance
        instance.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh customer or agent: no cookies, no storage."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-GB")
    fresh.set_default_timeout(20_000)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page whose console errors fail the test's author, not silently pass."""
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            problems.append(message.text)
            if message.type == "error" and re.search("Content Security Policy|Uncaught", message.text)
            else None
        ),
    )
    opened.problems = problems  # type: ignore[attr-defined]
    return opened

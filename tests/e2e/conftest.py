"""A real stack for the browser: `manage.py up` with its own data folder, the real engine, and Chromium."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.running_stack import RunningStack, start_stack, stop_stack

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def stack() -> Iterator[RunningStack]:
    """The whole product with the demo tenants, shared by the journeys."""
    data = Path(tempfile.mkdtemp(prefix="glassdesk-e2e-"))
    # One company: the articles of two take a minute longer to index.
    running = start_stack(data, GLASSDESK_DEMO="mossgate")
    yield running
    seconds = stop_stack(running)
    shutil.rmtree(data, ignore_errors=True)
    # Also on a busy machine.
    assert seconds < 30


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

"""A picture of every page: desktop and phone, light and dark, English and Chinese. Run with `make tour`; ARGS="FOLDER"."""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import CHROMIUM_FLAGS, chromium
from tests.e2e.every_page import Look, every_page
from tests.running_stack import start_stack, stop_stack


def main(folder: Path) -> int:
    """Start a desk of its own, walk through it eight times, and say where the pictures are."""
    data = Path(tempfile.mkdtemp(prefix="glassdesk-tour-"))
    stack = start_stack(data, GLASSDESK_DEMO="mossgate")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
            for language, is_dark, is_phone in itertools.product(("en", "zh"), (False, True), (False, True)):
                look = Look(language, is_dark, is_phone)
                (folder / str(look)).mkdir(parents=True, exist_ok=True)
                for name, page in every_page(stack, browser, look):
                    # What hangs over the page, as a drawer or the chat, is seen as a person sees it: one window full.
                    is_whole = not name.startswith(("widget", "drawer", "inbox", "conversation"))
                    page.screenshot(path=folder / str(look) / f"{name}.png", full_page=is_whole)
                sys.stdout.write(f"{folder / str(look)}\n")
            browser.close()
    finally:
        stop_stack(stack)
        shutil.rmtree(data, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "var/tour").resolve()))

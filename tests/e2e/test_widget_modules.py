"""The widget's pure modules, run in the browser that they are made for (no Node needed), and the loader's size."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import ROOT

SCRIPTS = ROOT / "tests" / "js"
WIDGET = ROOT / "static" / "widget"
LOADER_BYTES = 15 * 1024
MODULE_LINES = 200
# A line a sentence.
WORDS_LINES = 400
# One file, since a page has one tag for it: a second request could be refused where the first was allowed.
LOADER_LINES = 320


def cases() -> list[tuple[str, str]]:
    """File and name of every test in tests/js."""
    return [
        (file.name, name)
        for file in sorted(SCRIPTS.glob("*.test.mjs"))
        for name in re.findall(r'^test\("(.+?)",', file.read_text(encoding="utf-8"), re.MULTILINE)
    ]


class RepositoryHandler(SimpleHTTPRequestHandler):
    """Serves the repository's files, quietly; `/` is an empty page."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".js": "text/javascript"}

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>Modules</title>")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def blank_page(browser: Browser) -> Iterator[Page]:
    """An empty page beside the modules."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(RepositoryHandler, directory=str(ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    yield page
    page.close()
    server.shutdown()


@pytest.mark.parametrize(("file", "name"), cases())
def test_module(blank_page: Page, file: str, name: str) -> None:
    blank_page.evaluate(
        """async ([file, name]) => {
          await import(`/tests/js/${file}`);
          const { run } = await import("/tests/js/harness.mjs");
          await run(name);
        }""",
        [file, name],
    )


def test_loader_is_small() -> None:
    assert len(gzip.compress((WIDGET / "loader.js").read_bytes())) <= LOADER_BYTES


@pytest.mark.parametrize("file", sorted(WIDGET.glob("*.js")), ids=lambda file: file.name)
def test_modules_stay_short_and_parse_no_html(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    most = {"loader.js": LOADER_LINES, "strings_en.js": WORDS_LINES, "strings_zh.js": WORDS_LINES}
    assert source.count("\n") < most.get(file.name, MODULE_LINES)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source)

"""The loader on companies' pages: found without its attributes, once only, and there after a router has put another page in."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import django_htmx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.conftest import ROOT
from tests.e2e.test_widget_modules import RepositoryHandler

LOADER = "/static/widget/loader.js"
# The chat's frame as far as the page around it can tell: it says that it is ready, and somebody has typed into it.
FRAME = """<!DOCTYPE html><title>Frame</title><input id="draft"><p id="told"></p><script>
addEventListener("message", (event) => { document.getElementById("told").textContent = event.data.type; });
parent.postMessage({ source: "glassdesk", type: "ready" }, "*");
</script>"""
IN_HEAD = f'<script src="{LOADER}" data-tenant="northport" async></script>'


def page_of(head: str = "", body: str = "<h1>One</h1>") -> str:
    head = f'<meta charset="utf-8"><title>A shop</title>{head}'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{body}</body></html>'


class ShopHandler(RepositoryHandler):
    """The repository's files, the pages that a test has put there, and a frame for every company."""

    pages: dict[str, str] = {}

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
            return
        text = FRAME if path.startswith("/widget/") else self.pages.get(path)
        if text is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())


class Shop:
    """A company's website in one tab, and what its console said."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"uncaught: {error}"))

    def visit(self, text: str) -> None:
        ShopHandler.pages["/shop"] = text
        self.page.goto(f"{self.address}/shop", wait_until="networkidle")

    def expect_launchers(self, count: int) -> None:
        expect(self.page.get_by_test_id("glassdesk-launcher")).to_have_count(count)
        if count:
            expect(self.page.get_by_test_id("glassdesk-launcher")).to_be_visible()

    def open_and_type(self, text: str) -> None:
        self.page.get_by_test_id("glassdesk-launcher").click()
        frame = self.page.frame_locator("iframe")
        expect(frame.locator("#told")).to_have_text("open")
        frame.locator("#draft").fill(text)

    def expect_open(self, draft: str) -> None:
        expect(self.page.get_by_role("dialog")).to_be_visible()
        expect(self.page.frame_locator("iframe").locator("#draft")).to_have_value(draft)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The website."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(ShopHandler, directory=str(ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def shop(context: BrowserContext, address: str) -> Shop:
    """A tab of somebody who looks around."""
    context.set_default_timeout(10_000)
    return Shop(context.new_page(), address)


# How routers and libraries put another page in: each gets the new body as HTML.
SWAPS = {
    "turbo": """(html) => {
      const body = new DOMParser().parseFromString(html, "text/html").body;
      document.adoptNode(body);
      for (const inert of body.querySelectorAll("script")) {
        const made = document.createElement("script");
        for (const { name, value } of inert.attributes) made.setAttribute(name, value);
        inert.replaceWith(made);
      }
      document.body.replaceWith(body);
    }""",
    "astro": """(html) => document.startViewTransition(() => {
      const next = new DOMParser().parseFromString(html, "text/html");
      for (const { name } of [...document.documentElement.attributes]) document.documentElement.removeAttribute(name);
      document.head.replaceChildren(...next.head.children);
      document.body.replaceWith(next.body);
    }).finished""",
    "document.body": """(html) => { document.body = new DOMParser().parseFromString(html, "text/html").body; }""",
    "innerHTML": """(html) => { document.body.innerHTML = new DOMParser().parseFromString(html, "text/html").body.innerHTML; }""",
    "htmx": """(html) => document.body.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.children)""",
    "instantclick": """(html) => document.documentElement.replaceChild(
      new DOMParser().parseFromString(html, "text/html").body, document.body)""",
    "replaceWith": """(html) => {
      const made = document.createElement("body");
      made.append("Two");
      document.body.replaceWith(made);
    }""",
}
# These take everything out, so that the frame is loaded anew.
SWAPS_OF_ALL = {
    "root": """(html) => document.documentElement.replaceWith(
      new DOMParser().parseFromString(html, "text/html").documentElement)""",
    "root's innerHTML": """(html) => {
      document.documentElement.innerHTML = new DOMParser().parseFromString(html, "text/html").documentElement.innerHTML;
    }""",
    "write": """(html) => { document.open(); document.write(html); document.close(); }""",
    "removed and put back": """(html) => {
      document.documentElement.remove();
      document.append(new DOMParser().parseFromString(html, "text/html").documentElement);
    }""",
}


@pytest.mark.parametrize("name", SWAPS)
@pytest.mark.parametrize("place", ["head", "body"])
def test_the_open_chat_stays_as_it_is_when_a_router_replaces_the_body(shop: Shop, name: str, place: str) -> None:
    page = page_of(IN_HEAD) if place == "head" else page_of(body=f"<h1>One</h1>{IN_HEAD}")
    shop.visit(page)
    shop.open_and_type("half a question")
    for _ in range(2):
        shop.page.evaluate(SWAPS[name], page.replace("One", "Two"))
        shop.page.wait_for_load_state("networkidle")
        shop.expect_launchers(1)
        shop.expect_open("half a question")
    assert shop.said == []


@pytest.mark.parametrize("name", SWAPS_OF_ALL)
def test_the_chat_comes_back_open_when_the_whole_document_is_replaced(shop: Shop, name: str) -> None:
    shop.visit(page_of(IN_HEAD))
    shop.open_and_type("lost with its frame, as the real one keeps it in its storage")
    for _ in range(2):
        shop.page.evaluate(SWAPS_OF_ALL[name], page_of(body="<h1>Two</h1>"))
        shop.expect_launchers(1)
        expect(shop.page.frame_locator("iframe").locator("#told")).to_have_text("open")
        expect(shop.page.get_by_role("dialog")).to_be_visible()
    shop.page.get_by_test_id("glassdesk-launcher").click()
    expect(shop.page.get_by_role("dialog")).to_be_hidden()
    assert shop.said == []


def test_a_boosted_link_and_the_way_back_leave_the_open_chat_alone(shop: Shop) -> None:
    """With htmx itself, which keeps a copy of the page for the way back."""
    library = Path(django_htmx.__file__).parent / "static/django_htmx/htmx-2.min.js"
    ShopHandler.pages["/htmx.js"] = library.read_text(encoding="utf-8")
    htmx = f'<script src="/htmx.js"></script>{IN_HEAD}'
    ShopHandler.pages["/next"] = page_of(htmx, f"<h1>Two</h1>{IN_HEAD}")
    shop.visit(page_of(htmx, '<a href="/next" hx-boost="true">Go on</a>'))
    shop.open_and_type("half a question")
    shop.page.get_by_role("link", name="Go on").click()
    expect(shop.page.get_by_role("heading", name="Two")).to_be_visible()
    shop.expect_launchers(1)
    shop.expect_open("half a question")
    shop.page.go_back()
    expect(shop.page.get_by_role("link", name="Go on")).to_be_visible()
    shop.expect_launchers(1)
    shop.expect_open("half a question")


def test_a_router_s_second_run_of_the_script_adds_nothing_and_listens_once(shop: Shop) -> None:
    shop.visit(page_of(body=f"<h1>One</h1>{IN_HEAD}"))
    shop.page.evaluate("""() => {
      window.observers = 0;
      const observe = MutationObserver.prototype.observe;
      MutationObserver.prototype.observe = function (...given) { window.observers += 1; return observe.apply(this, given); };
      const listen = window.addEventListener;
      window.listeners = 0;
      window.addEventListener = (...given) => { window.listeners += 1; return listen.apply(window, given); };
    }""")
    for _ in range(5):
        shop.page.evaluate(SWAPS["turbo"], page_of(body=f"<h1>Two</h1>{IN_HEAD}"))
        shop.page.wait_for_load_state("networkidle")
    shop.expect_launchers(1)
    assert shop.page.evaluate("[window.observers, window.listeners]") == [0, 0]
    assert shop.said == []


def test_another_company_s_page_by_a_router_brings_its_own_chat(shop: Shop) -> None:
    shop.visit(page_of(body=IN_HEAD))
    shop.page.evaluate(SWAPS["turbo"], page_of(body=IN_HEAD.replace("northport", "southport")))
    shop.page.wait_for_load_state("networkidle")
    shop.expect_launchers(1)
    shop.page.get_by_test_id("glassdesk-launcher").click()
    assert "/widget/southport/frame" in str(shop.page.locator("iframe").get_attribute("src"))


def test_a_page_that_takes_the_chat_out_gets_it_back_only_by_the_script(shop: Shop) -> None:
    shop.visit(page_of(IN_HEAD))
    shop.page.evaluate("document.querySelector('glassdesk-widget').remove()")
    shop.page.evaluate(SWAPS["turbo"], page_of(body="<h1>Two</h1>"))
    shop.expect_launchers(0)
    shop.page.evaluate(SWAPS["turbo"], page_of(body=IN_HEAD))
    shop.page.wait_for_load_state("networkidle")
    shop.expect_launchers(1)


def injected(source: str, before: str = "", kind: str = "") -> str:
    """What tag managers do: they make the element anew, with its address only."""
    return f"""<script>{before}
      const made = document.createElement("script");
      made.src = {json.dumps(source)}; made.async = true; made.type = {json.dumps(kind)};
      document.body.append(made);</script>"""


SETTINGS = 'window.Glassdesk = { tenant: "northport", label: "Ask us" };'
FOUND = {
    "a module": page_of(f'<script type="module" src="{LOADER}" data-tenant="northport"></script>'),
    "a module at the end": page_of(body=f'<script type="module" src="{LOADER}" data-tenant="northport"></script>'),
    "in the head, at once": page_of(f'<script src="{LOADER}" data-tenant="northport"></script>'),
    "deferred": page_of(f'<script src="{LOADER}" data-tenant="northport" defer></script>'),
    "in the address": page_of(f'<script src="{LOADER}?tenant=northport"></script>'),
    "in the address of a module": page_of(f'<script type="module" src="{LOADER}?tenant=northport&side=left"></script>'),
    "in the settings": page_of(f"<script>{SETTINGS}</script><script src='{LOADER}' async></script>"),
    "a tag manager's, by address": page_of(body=injected(f"{LOADER}?tenant=northport")),
    "a tag manager's, by settings": page_of(body=injected(LOADER, SETTINGS)),
    "a tag manager's module": page_of(body=injected(LOADER, SETTINGS, "module")),
    "imported": page_of(body=f'<script type="module">import "{LOADER}?tenant=northport";</script>'),
    "imported later": page_of(body=f'<script>{SETTINGS} import("{LOADER}");</script>'),
    "below a base": page_of(f'<base href="/elsewhere/"><script src="{LOADER}" data-tenant="northport"></script>'),
}


@pytest.mark.parametrize("name", FOUND)
def test_the_company_is_found(shop: Shop, name: str) -> None:
    shop.visit(FOUND[name])
    shop.expect_launchers(1)
    shop.page.get_by_test_id("glassdesk-launcher").click()
    assert str(shop.page.locator("iframe").get_attribute("src")).startswith(f"{shop.address}/widget/northport/frame?")
    assert shop.said == []


def inlined() -> str:
    return (ROOT / "static/widget/loader.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "settings", ['{ tenant: "northport", server: "SERVER" }', '{ tenant: "northport", server: "SERVER/" }']
)
def test_a_copy_of_the_file_is_told_its_server(shop: Shop, settings: str) -> None:
    settings = settings.replace("SERVER", shop.address)
    shop.visit(page_of(body=f"<script>window.Glassdesk = {settings};\n{inlined()}</script>"))
    shop.expect_launchers(1)
    shop.page.get_by_test_id("glassdesk-launcher").click()
    assert str(shop.page.locator("iframe").get_attribute("src")).startswith(f"{shop.address}/widget/northport/frame?")


UNNAMED = "error: Glassdesk: no chat, because no company is named."
NO_SERVER = "error: Glassdesk: no chat, because its server is not known."
MISSING: dict[str, tuple[Callable[[], str], str]] = {
    "no attribute": (lambda: page_of(f'<script src="{LOADER}"></script>'), UNNAMED),
    "an empty attribute": (lambda: page_of(f'<script src="{LOADER}" data-tenant=""></script>'), UNNAMED),
    "a module without": (lambda: page_of(f'<script type="module" src="{LOADER}"></script>'), UNNAMED),
    "a tag manager's": (lambda: page_of(body=injected(LOADER)), UNNAMED),
    "imported": (lambda: page_of(body=f'<script type="module">import "{LOADER}";</script>'), UNNAMED),
    "a copy": (lambda: page_of(body=f"<script data-tenant='northport'>{inlined()}</script>"), NO_SERVER),
    "a copy without anything": (lambda: page_of(body=f"<script>{inlined()}</script>"), UNNAMED),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_said(shop: Shop, name: str) -> None:
    make, words = MISSING[name]
    shop.visit(make())
    shop.expect_launchers(0)
    assert [line.startswith(words) for line in shop.said] == [True]


@pytest.mark.parametrize(
    "second",
    [
        IN_HEAD,
        IN_HEAD.replace("northport", "southport"),
        f'<script src="{LOADER}?tenant=northport" defer></script>',
        f'<script type="module" src="{LOADER}" data-tenant="northport"></script>',
        injected(f"{LOADER}?tenant=northport"),
    ],
    ids=["same", "another company", "deferred", "module", "injected"],
)
def test_twice_on_one_page_is_one_chat_and_an_error(shop: Shop, second: str) -> None:
    shop.visit(page_of(IN_HEAD.replace(" async", ""), second))
    shop.expect_launchers(1)
    assert [
        line.startswith('error: Glassdesk: the chat of "northport" is on this page already.') for line in shop.said
    ] == [True]

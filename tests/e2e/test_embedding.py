"""The chat on websites of other origins, by the real web server: who may show it, what it needs, and what a page may do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from conversations.identity.keys import create_identity_key
from conversations.models import Visitor
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.running_web import running_web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
STRICT = "default-src 'none'; script-src {desk}; frame-src {desk}; img-src 'self'; style-src 'none'; base-uri 'none'"
FILLER = "<p>Something to read.</p>" * 200
NO_STORAGE = """
  const denied = () => { throw new DOMException("denied", "SecurityError"); };
  const refuse = { get: denied };
  for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, refuse);
  Object.defineProperty(Document.prototype, "cookie", { get: denied, set: denied });
"""
WATCH_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((each) => each.value)))
    .observe({ type: "layout-shift", buffered: true });
"""


class PageHandler(SimpleHTTPRequestHandler):
    """One page, with the headers that a test wants."""

    page = ""
    headers_of_page: dict[str, str] = {}

    def do_GET(self) -> None:
        is_page = self.path == "/"
        self.send_response(200 if is_page else 204)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **self.headers_of_page}.items():
            self.send_header(name, value)
        self.end_headers()
        if is_page:
            self.wfile.write(self.page.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def own_address() -> str:
    """The machine's address in its network; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@pytest.fixture(scope="module", autouse=True)
def rows_beside_playwright() -> Iterator[None]:
    """Playwright keeps a loop running in this thread, although nothing here waits for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        # The first request of a web server that has just started.
        expect.set_options(timeout=20_000)
        yield
        expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def desk(django_db_setup: None) -> Iterator[str]:
    """The desk's address, over plain HTTP and by number as in a local network."""
    with running_web("0.0.0.0") as port:
        yield f"http://{own_address()}:{port}"


class Site:
    """A website of another origin."""

    def __init__(self, page: Page, desk: str, port: int) -> None:
        self.page, self.desk = page, desk
        self.origin = f"http://{own_address()}:{port}"
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"uncaught: {error}"))

    def visit(self, body: str = "", script: str = "", **headers: str) -> None:
        tag = script or f'<script src="{self.desk}/static/widget/loader.js" data-tenant="northport" async></script>'
        PageHandler.page = f'<!DOCTYPE html><html lang="en"><title>A shop</title><body><h1>Shop</h1>{FILLER}{body}{tag}'
        PageHandler.headers_of_page = {name.replace("_", "-"): value for name, value in headers.items()}
        self.page.goto(f"{self.origin}/")

    def open(self) -> Any:
        self.page.get_by_test_id("glassdesk-launcher").click()
        return self.page.frame_locator("iframe")

    def errors(self) -> list[str]:
        heard = [line for line in self.said if line.startswith(("error", "uncaught", "warning"))]
        # Of a page without TLS, as in a shop's own network: the header protects the others.
        return [line for line in heard if "Cross-Origin-Opener-Policy" not in line]


@pytest.fixture
def site(context: BrowserContext, desk: str) -> Iterator[Site]:
    server = ThreadingHTTPServer(("0.0.0.0", 0), partial(PageHandler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context.set_default_timeout(20_000)
    yield Site(context.new_page(), desk, server.server_port)
    server.shutdown()


@pytest.fixture
def tenant(site: Site) -> Tenant:
    """Names the site."""
    return make_tenant("northport", name="Northport", allowed_origins=[site.origin], accent="#7a1f6b")


def test_a_named_site_shows_the_chat_under_the_strictest_policy(site: Site, tenant: Tenant) -> None:
    """No inline script or style, nothing of other hosts but the desk's file and frame; and nothing on the page moves."""
    site.page.add_init_script(WATCH_SHIFTS)
    before = "Object.getOwnPropertyNames(window).length"
    site.visit(script="<i></i>", Content_Security_Policy=STRICT.format(desk=site.desk))
    names = site.page.evaluate(before)
    site.visit(Content_Security_Policy=STRICT.format(desk=site.desk))
    expect(site.page.get_by_test_id("glassdesk-launcher")).to_be_visible()
    assert site.page.evaluate(before) == names + 1
    frame = site.open()
    expect(frame.locator("#welcome")).to_be_visible()
    site.page.wait_for_timeout(300)
    assert site.page.evaluate("window.shifts") == []
    assert site.errors() == []


def test_the_launcher_takes_the_company_s_colour_once_it_is_known(site: Site, tenant: Tenant) -> None:
    site.visit()
    frame = site.open()
    expect(frame.locator("#welcome")).to_be_visible()
    expect(site.page.get_by_test_id("glassdesk-launcher")).to_have_css("background-color", "rgb(122, 31, 107)")


def test_another_site_gets_a_sentence_for_its_owner_at_once(site: Site) -> None:
    make_tenant("northport", name="Northport", allowed_origins=["https://shop.example"])
    site.visit()
    frame = site.open()
    expect(frame.get_by_role("heading", name="This website isn’t set up for the chat yet")).to_be_visible()
    expect(frame.locator("code")).to_have_text(site.origin)
    site.page.wait_for_timeout(9_000)
    expect(frame.locator("code")).to_be_visible()
    told = [line for line in site.errors() if f"{site.origin} may not show the chat" in line]
    assert len(told) == 1
    assert "Allowed sites" in told[0]
    site.page.get_by_test_id("glassdesk-launcher").click()
    expect(site.page.get_by_role("dialog")).to_be_hidden()


def test_without_cookies_and_storage_a_customer_can_write(site: Site, tenant: Tenant) -> None:
    site.page.add_init_script(NO_STORAGE)
    site.visit()
    frame = site.open()
    frame.locator("#input").fill("Where is my order?")
    frame.locator("#send").click()
    expect(frame.locator(".entry[data-kind=customer]")).to_contain_text("Where is my order?")
    assert site.errors() == []


def told(site: Site, name: str) -> Any:
    return site.page.evaluate(f"window.told.{name} ?? []")


def test_a_page_opens_closes_and_listens(site: Site, tenant: Tenant) -> None:
    site.visit()
    expect(site.page.get_by_test_id("glassdesk-launcher")).to_be_visible()
    site.page.evaluate("""() => {
      window.told = {};
      for (const name of ["ready", "open", "close", "language", "message"])
        Glassdesk.on(name, (detail) => (window.told[name] ??= []).push(detail));
    }""")
    site.page.evaluate("Glassdesk.open()")
    expect(site.page.get_by_role("dialog")).to_be_visible()
    frame = site.page.frame_locator("iframe")
    expect(frame.locator("#welcome")).to_be_visible()
    site.page.evaluate("Glassdesk.setLanguage('zh-CN')")
    expect(frame.locator("html")).to_have_attribute("lang", "zh-Hans")
    site.page.evaluate("Glassdesk.toggle()")
    expect(site.page.get_by_role("dialog")).to_be_hidden()
    site.page.evaluate("Glassdesk.close()")
    assert [told(site, name) for name in ("ready", "open", "close", "language")] == [
        [{}], [{}], [{}], [{"language": "zh"}],
    ]  # fmt: skip
    assert site.errors() == []


def test_calls_from_before_the_loader_wait_for_it(site: Site, tenant: Tenant) -> None:
    site.visit(
        body="<script>window.Glassdesk = { queue: [['setContext', { plan: 'Pro' }], ['open'], ['no such thing']] };</script>"
    )
    frame = site.page.frame_locator("iframe")
    expect(frame.locator("#welcome")).to_be_visible()
    deadline = time.monotonic() + 10
    while contexts(tenant) != [{"plan": "Pro"}]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def contexts(tenant: Tenant) -> list[dict[str, str]]:
    with tenant_atomic(tenant.id):
        return list(Visitor.objects.order_by("created_at").values_list("context", flat=True))


def subjects(tenant: Tenant) -> list[str]:
    with tenant_atomic(tenant.id):
        return list(Visitor.objects.order_by("created_at").values_list("subject", flat=True))


def token_for(tenant: Tenant, subject: str, **claims: Any) -> str:
    made = create_identity_key(tenant_id=tenant.id, name="Shop")
    said = {"sub": subject, "exp": int(time.time()) + 3600} | claims
    return jwt.encode(said, made.private_key, algorithm="ES256", headers={"kid": made.key.kid})


def test_a_signed_customer_goes_on_where_they_were_and_is_forgotten_on_shutdown(
    site: Site, tenant: Tenant, context: BrowserContext
) -> None:
    token = token_for(tenant, "customer-7", name="Lin")
    site.visit()
    expect(site.page.get_by_test_id("glassdesk-launcher")).to_be_visible()
    site.page.evaluate("(token) => { Glassdesk.identify(token); Glassdesk.open(); }", token)
    frame = site.page.frame_locator("iframe")
    frame.locator("#input").fill("Where is my order?")
    frame.locator("#send").click()
    expect(frame.locator(".entry[data-kind=customer]")).to_contain_text("Where is my order?")
    assert "customer-7" not in str(site.page.locator("iframe").get_attribute("src"))
    assert subjects(tenant) == ["customer-7"]
    site.page.evaluate("Glassdesk.shutdown()")
    expect(site.page.get_by_test_id("glassdesk-launcher")).to_have_count(0)
    assert site.page.evaluate("typeof Glassdesk.open") == "undefined"
    # Somebody else uses this browser now; the customer is at another one.
    site.visit()
    expect(site.open().locator("#welcome")).to_be_visible()
    assert subjects(tenant) == ["customer-7", ""]
    site.page.evaluate("(token) => Glassdesk.identify(token)", token)
    expect(site.page.frame_locator("iframe").locator(".entry[data-kind=customer]")).to_contain_text(
        "Where is my order?"
    )
    assert site.errors() == []


def test_a_token_that_does_not_count_is_said_and_leaves_a_chat(site: Site, tenant: Tenant) -> None:
    token = token_for(tenant, "customer-7", exp=int(time.time()) - 600)
    site.visit()
    expect(site.page.get_by_test_id("glassdesk-launcher")).to_be_visible()
    site.page.evaluate(
        """(token) => {
      window.told = {};
      Glassdesk.on("error", (detail) => (window.told.error ??= []).push(detail.reason));
      Glassdesk.identify(token);
      Glassdesk.open();
    }""",
        token,
    )
    frame = site.page.frame_locator("iframe")
    expect(frame.locator("#welcome")).to_be_visible()
    assert told(site, "error") == ["expired"]
    assert subjects(tenant) == [""]
    assert any("error: Glassdesk: The identity has expired (exp)." in line for line in site.errors())

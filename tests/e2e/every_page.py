"""Every page of the product in a browser, one after the other: for the accessibility check and for the tour of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.running_stack import RunningStack

PASSWORD = "glassdesk-demo"
TENANT = "mossgate"
ANSWER_MS = 90_000
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
QUESTION = {"en": "How much does express delivery cost?", "zh": "加急配送要多少钱？"}


@dataclass(frozen=True, slots=True)
class Look:
    """How the pages are looked at."""

    language: str = "en"
    is_dark: bool = False
    is_phone: bool = False

    def __str__(self) -> str:
        return "-".join((self.language, "dark" if self.is_dark else "light", "phone" if self.is_phone else "desktop"))

    def context(self, browser: Browser) -> BrowserContext:
        options: dict[str, Any] = {
            "viewport": PHONE if self.is_phone else DESKTOP,
            "locale": "zh-CN" if self.language == "zh" else "en-GB",
            "color_scheme": "dark" if self.is_dark else "light",
            "reduced_motion": "reduce",
        }
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        return context


def every_page(stack: RunningStack, browser: Browser, look: Look) -> Iterator[tuple[str, Page]]:
    """Name and page, ready to be looked at. The customer's conversation comes first: the desk and the report show it."""
    context = look.context(browser)
    page = context.new_page()
    yield from _customer(stack, page, look)
    yield from _signed_out(stack, page)
    sign_in(page, stack, "owner")
    yield from _desk(stack, page)
    yield from _report(stack, page)
    page.goto(f"{stack.base_url}/accounts/logout/")
    yield "account-sign-out", page
    context.close()


def sign_in(page: Page, stack: RunningStack, name: str) -> None:
    page.goto(f"{stack.base_url}/accounts/login/")
    page.locator("[name=login]").fill(f"{name}@{TENANT}.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button.button-primary").click()
    page.wait_for_url("**/desk/**")


def _customer(stack: RunningStack, page: Page, look: Look) -> Iterator[tuple[str, Page]]:
    page.goto(f"{stack.base_url}/demo/")
    yield "demo-index", page
    page.goto(f"{stack.base_url}/demo/{TENANT}/?language={look.language}")
    yield "demo-site", page
    page.get_by_test_id("glassdesk-launcher").click()
    frame = page.frame_locator("iframe")
    frame.locator("#input").wait_for()
    yield "widget-welcome", page
    frame.locator("#input").fill(QUESTION[look.language])
    frame.locator("#send").click()
    expect(frame.locator(".entry[data-kind=ai][data-outcome=answered] .answer")).to_be_visible(timeout=ANSWER_MS)
    yield "widget-answer", page
    frame.get_by_test_id("source").first.click()
    frame.locator("#drawer mark").first.wait_for()
    yield "widget-source", page


def _signed_out(stack: RunningStack, page: Page) -> Iterator[tuple[str, Page]]:
    for name, path in (
        ("account-sign-in", "/accounts/login/"),
        ("account-reset", "/accounts/password/reset/"),
        ("account-reset-sent", "/accounts/password/reset/done/"),
        ("account-invitation-gone", "/accounts/invitation/"),
        ("api-reference", "/api/v1/docs/"),
        ("not-found", "/desk/nothing-here/"),
    ):
        page.goto(f"{stack.base_url}{path}")
        yield name, page


def _desk(stack: RunningStack, page: Page) -> Iterator[tuple[str, Page]]:
    desk = f"{stack.base_url}/desk/{TENANT}"
    for name, path in (
        ("inbox", "/inbox/"),
        ("inbox-waiting", "/inbox/?filter=waiting"),
        ("inbox-closed", "/inbox/?filter=closed"),
        ("knowledge", "/knowledge/"),
        ("knowledge-none-found", "/knowledge/?q=zzzz"),
        ("article-new", "/knowledge/new/"),
        ("assistant", "/assistant/"),
        ("answers", "/traces/"),
        ("compare-nothing", "/traces/compare/"),
        ("retention", "/traces/retention/"),
        ("models", "/models/"),
        ("batches", "/batches/"),
        ("api-keys", "/api-keys/"),
    ):
        page.goto(desk + path)
        yield name, page
    page.goto(f"{stack.base_url}/desk/tenants/")
    yield "companies", page
    page.goto(f"{stack.base_url}/accounts/password/change/")
    yield "account-password", page
    page.goto(f"{desk}/knowledge/new/")
    page.locator("#save").click()
    page.locator("#errors").wait_for()
    yield "article-errors", page
    page.goto(f"{desk}/knowledge/")
    page.locator("main a[href*='/knowledge/']:not([href$='/new/'])").first.click()
    page.wait_for_load_state("load")
    yield "article", page
    page.goto(f"{desk}/inbox/")
    page.locator(".row").first.click()
    page.locator("#messages").wait_for()
    page.wait_for_load_state("networkidle" if page.locator("#live").count() == 0 else "load")
    yield "conversation", page


def _report(stack: RunningStack, page: Page) -> Iterator[tuple[str, Page]]:
    page.locator(".answer-line .why").last.click()
    page.locator("#drawer [name=reason]").wait_for()
    yield "drawer-sealed", page
    page.locator("#drawer [name=reason]").fill("A look at every page of the product")
    page.locator("#drawer form:has([name=reason]) button").click()
    page.locator("#drawer form button.button-primary").wait_for()
    yield "drawer-open", page
    page.locator("#drawer form button.button-primary").click()
    page.locator("#answer-title").wait_for()
    yield "report-open", page
    page.goto(page.url.removesuffix("open/"))
    yield "report-sealed", page

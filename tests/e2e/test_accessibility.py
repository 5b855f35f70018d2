"""No page of the product has a barrier that axe-core knows: WCAG 2.2 AA, light and dark, wide and narrow, both languages."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page, expect

from tests.e2e.every_page import every_page
from tests.e2e.test_journeys import ANSWER_MS, ask, open_widget, sign_in
from tests.running_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light", "locale": "en-GB", "viewport": {"width": 1280, "height": 860}},
    {"color_scheme": "dark", "locale": "zh-CN", "viewport": {"width": 390, "height": 844}},
]
BY_COLOUR_AND_SIZE = pytest.mark.parametrize("look", LOOKS, ids=["light-wide-en", "dark-narrow-zh"])
# A desk has at least so many kinds of page: fewer were reached means that a link broke, not that all is well.
KINDS = 30


def barriers(place: Page | Frame) -> list[str]:
    """What axe-core finds in this document: rule, and where."""
    found = Axe().run(place, options=RULES).response["violations"]
    return [f"{each['id']}: {node['target']}" for each in found for node in each["nodes"]]


@BY_COLOUR_AND_SIZE
def test_every_page_of_the_desk(stack: RunningStack, browser: Browser, look: dict[str, Any]) -> None:
    page = browser.new_page(**look)
    sign_in(page, stack, "owner")
    pages = every_page(page, stack.base_url, ["/desk/", "/accounts/2fa/", "/accounts/sessions/", "/accounts/email/"])
    assert len(pages) > KINDS, sorted(pages)
    found = {}
    for route, path in pages.items():
        page.goto(stack.base_url + path)
        if problems := barriers(page):
            found[route] = problems
    page.context.close()
    assert found == {}


@BY_COLOUR_AND_SIZE
def test_every_page_of_a_stranger(stack: RunningStack, browser: Browser, look: dict[str, Any]) -> None:
    page = browser.new_page(**look)
    pages = every_page(page, stack.base_url, ["/demo/", "/accounts/login/", "/accounts/password/reset/"])
    found = {}
    for route, path in pages.items():
        page.goto(stack.base_url + path)
        if problems := barriers(page):
            found[route] = problems
    page.context.close()
    assert len(pages) > 2
    assert found == {}


@BY_COLOUR_AND_SIZE
def test_the_chat_with_an_answer_its_source_and_its_rating(
    stack: RunningStack, browser: Browser, look: dict[str, Any]
) -> None:
    page = browser.new_page(**look)
    frame = open_widget(page, stack)
    ask(frame, "How much does express delivery cost?")
    expect(frame.locator(".entry[data-kind=ai][data-outcome=answered]")).to_be_visible(timeout=ANSWER_MS)
    inside = next(each for each in page.frames if "/widget/" in each.url)
    found = {"answer": barriers(inside)}
    frame.get_by_test_id("source").first.click()
    expect(frame.locator("#drawer mark").first).to_be_visible()
    found["source"] = barriers(inside)
    page.context.close()
    assert found == {"answer": [], "source": []}

"""axe-core finds nothing on any page of the product, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.every_page import Look, every_page
from tests.running_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """
async (tags) => {
  const { violations } = await axe.run(document, { runOnly: tags });
  const said = (rule, node) => `${rule.id}: ${node.target.flat().join(" ")} ${node.failureSummary}`;
  return violations.flatMap((rule) => rule.nodes.map((node) => said(rule, node)));
}
"""


@pytest.mark.parametrize(
    "look",
    [Look("en"), Look("en", is_dark=True), Look("zh", is_phone=True), Look("zh", is_dark=True, is_phone=True)],
    ids=str,
)
def test_axe_finds_nothing_on_any_page(stack: RunningStack, browser: Browser, look: Look) -> None:
    found = [
        f"{name}: {violation}" for name, page in every_page(stack, browser, look) for violation in violations(page)
    ]
    assert found == []


def violations(page: Page) -> list[str]:
    """What axe finds in the page and its frames. It is evaluated, not added: the pages' CSP allows no foreign script."""
    for frame in page.frames:
        frame.evaluate(AXE)
    said: list[str] = page.evaluate(RUN, TAGS)
    return said

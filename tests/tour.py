"""Pictures of every page: `python -m tests.tour FOLDER`, on a stack of its own with the demo company.

Writes FOLDER/<language>-<light or dark>-<wide or narrow>/<route>.png and FOLDER/index.html, which shows them side by side.
"""

from __future__ import annotations

import html
import itertools
import os
import shutil
import sys
import tempfile
from pathlib import Path

import django
from playwright.sync_api import Page, expect, sync_playwright

from tests.running_stack import RunningStack, start_stack, stop_stack

LANGUAGES = {"en": "en-GB", "zh": "zh-CN"}
SIZES = {"wide": {"width": 1280, "height": 860}, "narrow": {"width": 390, "height": 844}}
QUESTIONS = {"en": "How much does express delivery cost?", "zh": "标准配送的运费是多少？"}
STARTS = ["/desk/", "/accounts/2fa/", "/accounts/sessions/", "/accounts/email/"]


def main() -> None:
    folder = Path(sys.argv[1])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    os.environ.setdefault("DATABASE_URL", "none:")
    django.setup()
    data = Path(tempfile.mkdtemp(prefix="glassdesk-tour-"))
    stack = start_stack(data, GLASSDESK_DEMO="mossgate")
    try:
        with sync_playwright() as playwright:
            binary = (
                os.environ.get("GLASSDESK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
            )
            browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
            for language, scheme, size in itertools.product(LANGUAGES, ("light", "dark"), SIZES):
                look = folder / f"{language}-{scheme}-{size}"
                look.mkdir(parents=True, exist_ok=True)
                page = browser.new_page(color_scheme=scheme, locale=LANGUAGES[language], viewport=SIZES[size])
                picture_widget(page, stack, language, look)
                picture_desk(page, stack, look)
                page.context.close()
    finally:
        stop_stack(stack)
        shutil.rmtree(data, ignore_errors=True)
    write_index(folder)


def picture_widget(page: Page, stack: RunningStack, language: str, folder: Path) -> None:
    """The chat before and after an answer."""
    page.goto(f"{stack.base_url}/demo/mossgate/?language={language}")
    page.get_by_test_id("glassdesk-launcher").click()
    frame = page.frame_locator("iframe")
    frame.locator("#input").fill(QUESTIONS[language])
    page.screenshot(path=folder / "widget-open.png")
    frame.locator("#send").click()
    expect(frame.locator(".entry[data-kind=ai][data-outcome=answered]")).to_be_visible(timeout=60_000)
    page.screenshot(path=folder / "widget-answer.png")


def picture_desk(page: Page, stack: RunningStack, folder: Path) -> None:
    """Every page that the demo company's owner reaches."""
    from tests.e2e.every_page import every_page
    from tests.e2e.test_journeys import sign_in

    page.goto(f"{stack.base_url}/accounts/login/")
    page.screenshot(path=folder / "account_login.png")
    sign_in(page, stack, "owner")
    for route, path in every_page(page, stack.base_url, STARTS).items():
        page.goto(stack.base_url + path)
        page.screenshot(path=folder / f"{route.replace(':', '-')}.png", full_page=True)


def write_index(folder: Path) -> None:
    """One page with all pictures, a row for each route."""
    looks = sorted(each.name for each in folder.iterdir() if each.is_dir())
    names = sorted({file.name for look in looks for file in (folder / look).glob("*.png")})
    rows = "".join(
        f"<h2>{html.escape(name)}</h2><p>"
        + "".join(f'<a href="{look}/{name}"><img src="{look}/{name}" alt="{look}" height="420"></a> ' for look in looks)
        + "</p>"
        for name in names
    )
    (folder / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>Tour</title>{rows}", encoding="utf-8"
    )
    print(f"{len(names)} pages in {len(looks)} looks: {folder / 'index.html'}")


if __name__ == "__main__":
    main()

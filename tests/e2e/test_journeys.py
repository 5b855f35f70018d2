"""Whole journeys in a real browser on the real stack: real database, queue, engine and weights."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import time
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from tests.running_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

PASSWORD = "glassdesk-demo"
OTHER_COMPANY = f"""
from helpdesk.permissions import Role
from tests.factories import make_tenant, make_user
user = make_user(make_tenant("ledgerleaf"), Role.REVIEWER, email="reviewer@ledgerleaf.example")
user.set_password("{PASSWORD}")
user.save()
"""
ANSWER_MS = 60_000


def open_widget(page: Page, stack: RunningStack, tenant: str = "mossgate", language: str = "en") -> FrameLocator:
    page.goto(f"{stack.base_url}/demo/{tenant}/?language={language}")
    page.get_by_test_id("glassdesk-launcher").click()
    return page.frame_locator("iframe")


def ask(frame: FrameLocator, question: str) -> None:
    frame.locator("#input").fill(question)
    frame.locator("#send").click()


def sign_in(page: Page, stack: RunningStack, name: str, tenant: str = "mossgate") -> None:
    page.goto(f"{stack.base_url}/accounts/login/")
    page.locator("[name=login]").fill(f"{name}@{tenant}.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button.button-primary").click()
    page.wait_for_url("**/desk/**")


def test_a_customer_asks_in_english_sees_the_source_and_the_reviewer_reads_why(
    stack: RunningStack, page: Page, browser: Browser
) -> None:
    frame = open_widget(page, stack)
    ask(frame, "How much does express delivery cost?")
    answer = frame.locator(".entry[data-kind=ai][data-outcome=answered] .answer")
    expect(answer).to_contain_text("9.90", timeout=ANSWER_MS)
    frame.get_by_test_id("source").first.click()
    expect(frame.locator("#drawer mark").first).to_contain_text("Express delivery costs")
    frame.locator("#drawer-back").click()
    page.reload()
    page.get_by_test_id("glassdesk-launcher").click()
    expect(page.frame_locator("iframe").locator(".entry[data-kind=ai] .answer")).to_contain_text("9.90")

    desk = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    sign_in(desk, stack, "reviewer")
    desk.locator(".row", has_text="Express delivery costs").first.click()
    desk.locator("#messages").wait_for()
    # Before the page's scripts have run the link leads to the report's own page.
    desk.wait_for_load_state("load")
    desk.locator(".answer-line .why").last.click()
    drawer = desk.locator("#drawer")
    expect(drawer).to_contain_text("Timeline")
    drawer.locator("[name=reason]").fill("An end-to-end test reads this answer")
    drawer.locator("form:has([name=reason]) button").click()
    expect(drawer).to_contain_text("Passages used and rejected")
    drawer.get_by_role("button", name="Full report").click()
    expect(desk.locator("main")).to_contain_text(re.compile("SmolLM2"))
    expect(desk.locator("#tokens")).to_contain_text("Express delivery costs")
    expect(desk.locator("main")).to_contain_text("An end-to-end test reads this answer")
    # The causes are measured by themselves when the engine is idle.
    expect(desk.locator("#causes .effect-cause").first).to_contain_text("+", timeout=ANSWER_MS)
    desk.locator("#replay").get_by_role("button", name="Replay").click()
    expect(desk.locator("#replay .replay .pill-good")).to_have_text("exact", timeout=ANSWER_MS)
    read_the_report_in_chinese(desk)
    desk.context.close()
    assert page.problems == []  # type: ignore[attr-defined]


def read_the_report_in_chinese(desk: Page) -> None:
    """A change of language comes back to the locked report, whose headings are all Chinese once it is opened again."""
    desk.locator(".language-button").click()
    expect(desk.locator("html")).to_have_attribute("lang", "zh-hans")
    desk.locator("[name=reason]").fill("端到端测试再读一遍")
    desk.locator("form:has([name=reason]) button").first.click()
    expect(desk.locator("main")).to_contain_text("端到端测试再读一遍")
    expect(desk.locator("#tokens")).to_contain_text("Express delivery costs")
    headings = desk.locator("main :is(h1, h2), main .timeline-name").all_inner_texts()
    assert len(headings) > 10
    assert [heading for heading in headings if not re.search("[\u4e00-\u9fff]", heading)] == []


def test_a_customer_asks_in_chinese_on_a_phone(stack: RunningStack, browser: Browser) -> None:
    phone = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True).new_page()
    phone.set_default_timeout(20_000)
    frame = open_widget(phone, stack, language="zh")
    ask(frame, "标准配送的运费是多少？")
    answer = frame.locator(".entry[data-kind=ai][data-outcome=answered] .answer")
    expect(answer).to_be_visible(timeout=ANSWER_MS)
    assert re.search("[\u4e00-\u9fff]", answer.inner_text())
    panel = phone.locator("iframe").bounding_box()
    assert panel is not None
    assert panel["width"] >= 388
    phone.context.close()


def test_a_refusal_leads_to_a_person_whose_reply_the_customer_sees(
    stack: RunningStack, page: Page, browser: Browser
) -> None:
    frame = open_widget(page, stack)
    ask(frame, "Who won the football world cup in 1998?")
    expect(frame.locator(".entry[data-outcome=refused]")).to_be_visible(timeout=ANSWER_MS)
    frame.locator("#person").click()
    expect(frame.locator("#presence")).to_have_attribute("data-who", "waiting")

    desk = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    sign_in(desk, stack, "agent")
    desk.locator("#queue-waiting").click()
    desk.locator(".row").first.click()
    desk.locator("#composer textarea").fill("Hello, Ana here. How can I help?")
    desk.locator("#send").click()
    expect(desk.locator("#messages")).to_contain_text("Ana here")
    expect(frame.locator(".entry[data-kind=person]")).to_contain_text("Ana here")
    expect(frame.locator("#presence")).to_have_attribute("data-who", "person")
    desk.context.close()


NOTE_LIVE_TEXT = """() => {
    window.sawLiveText = false;
    const look = () => { window.sawLiveText ||= document.querySelector(".message-live.has-text") !== null; };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def test_an_agent_watches_the_answer_being_written(stack: RunningStack, page: Page, browser: Browser) -> None:
    frame = open_widget(page, stack)
    ask(frame, "Who won the football world cup in 1998?")
    expect(frame.locator(".entry[data-outcome=refused]")).to_be_visible(timeout=ANSWER_MS)
    desk = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    sign_in(desk, stack, "agent")
    desk.locator(".row").first.click()
    expect(desk.locator("#messages .message-ai")).to_have_count(1)
    # A quick answer is being written for less time than passes between two looks at the page.
    desk.evaluate(NOTE_LIVE_TEXT)
    ask(frame, "By what time must express orders be placed?")
    expect(desk.locator("#messages .message-ai")).to_have_count(2, timeout=ANSWER_MS)
    assert desk.evaluate("window.sawLiveText")
    desk.context.close()


def test_another_tenants_reviewer_finds_nothing(stack: RunningStack, context: BrowserContext) -> None:
    report = json.loads(stack.manage("ask", "mossgate", "How much does express delivery cost?", "--json"))
    stack.manage("shell", "-c", OTHER_COMPANY)
    stranger = context.new_page()
    sign_in(stranger, stack, "reviewer", "ledgerleaf")
    response = stranger.goto(stack.base_url + report["report"])
    assert response is not None
    assert response.status == 404


def test_asking_from_the_shell_prints_everything_that_led_to_the_answer(stack: RunningStack) -> None:
    report = json.loads(stack.manage("ask", "mossgate", "How much does express delivery cost?", "--json"))
    assert "9.90" in report["answer"]
    assert report["sources"][0]["title"] == "Express delivery"
    assert {"gate score", "margin", "mean log-probability"} <= report["confidence"].keys()
    assert {"retrieve", "first_token", "decode", "queue", "total"} <= report["timings_ms"].keys()
    stack.manage("verify_traces", "mossgate")


def test_a_published_article_is_found_within_seconds_and_an_archived_one_is_gone(
    stack: RunningStack, page: Page
) -> None:
    sign_in(page, stack, "editor")
    page.goto(f"{stack.base_url}/desk/mossgate/knowledge/")
    page.locator("#new-article").click()
    page.locator("#id_title").fill("Renting a party tent")
    page.locator("#id_body").fill("## Tent rental\n\nMossgate rents a party tent for 47 euros a day in Brackenford.")
    page.locator("#save-and-publish").click()
    expect(page.locator("#archive")).to_be_visible()
    question = ("ask", "mossgate", "What does it cost to rent a party tent?", "--json")

    def answer() -> str:
        return str(json.loads(stack.manage(*question))["answer"])

    deadline = time.monotonic() + 60
    while "47 euros" not in answer():
        assert time.monotonic() < deadline
    page.locator("#archive").click()
    page.locator("#archive-confirm").click()
    expect(page.locator("#restore")).to_be_visible()
    assert "47 euros" not in answer()


def test_what_only_the_trace_holds_is_in_clear_nowhere(stack: RunningStack) -> None:
    """The composed prompt begins with words that no message and no article has; they must not be in any file."""
    report = json.loads(stack.manage("ask", "mossgate", "How much does express delivery cost?", "--json"))
    assert report["outcome"] == "answered"
    sentinels = [b"You are the support assistant of Mossgate", b"Put the number of the passage behind each sentence"]
    stack.manage("shell", "-c", "from django.db import connection; connection.cursor().execute('SELECT 1')")
    searched = 0
    for path in [*stack.data.rglob("*"), *Path("/tmp").glob("glassdesk*"), *Path("/dev/shm").glob("*")]:
        if not path.is_file() or path.is_socket():
            continue
        try:
            content = path.read_bytes()
        except OSError:
            continue
        searched += 1
        for sentinel in sentinels:
            assert sentinel not in content, f"the prompt is in clear in {path.name}"
    assert searched > 500


def test_killing_worker_and_engine_in_mid_answer_loses_and_doubles_nothing(stack: RunningStack, page: Page) -> None:
    frame = open_widget(page, stack)
    ask(frame, "What should I do if my plant arrives damaged?")
    expect(frame.locator(".answer-live")).not_to_be_empty(timeout=ANSWER_MS)
    killed = 0
    for process in psutil.Process(stack.process.pid).children(recursive=True):
        # Others come and go, and the kernel ends some of these together with their parent.
        with contextlib.suppress(psutil.NoSuchProcess):
            if re.search("VLLM|inference@", " ".join(process.cmdline())):
                process.send_signal(signal.SIGKILL)
                killed += 1
    assert killed
    expect(frame.locator(".entry[data-kind=ai], .entry[data-kind=failure]").first).to_be_visible(timeout=240_000)
    expect(frame.locator(".entry[data-kind=ai], .entry[data-kind=failure]")).to_have_count(1)

"""Which answers are Markdown and which are somebody's words: said with the phase, with the message, and with a cached answer."""

from __future__ import annotations

import pytest

from conversations.models import AnswerStyle, Assistant, TextFormat, format_of
from helpdesk.tenants.models import Tenant
from inference_worker.engine.scripted import ScriptedEngine
from tests.integration.inference_worker.customer import Customer
from tests.integration.inference_worker.test_answering import ANSWER, QUESTION, customer_of, scoped

UNANSWERABLE = "Who won the football world cup in 1998?"


async def answered(shop: Tenant, question: str) -> Customer:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(question)
    await customer.until(lambda: customer.done)
    await customer.drop()
    return customer


@pytest.mark.parametrize(
    ("style", "question", "told", "stored"),
    [
        (AnswerStyle.QUOTE, QUESTION, ["plain"], "plain"),
        (AnswerStyle.GENERATE, QUESTION, ["markdown"], "markdown"),
        # What we say ourselves is nobody's Markdown.
        (AnswerStyle.GENERATE, UNANSWERABLE, [], "plain"),
    ],
)
async def test_the_format_is_told_when_the_text_begins_and_kept_with_the_answer(
    shop: Tenant,
    engine: ScriptedEngine,
    monkeypatch: pytest.MonkeyPatch,
    style: AnswerStyle,
    question: str,
    told: list[str],
    stored: str,
) -> None:
    if style is AnswerStyle.GENERATE:
        monkeypatch.setattr(engine, "texts", [ANSWER])
    await scoped(shop, lambda: Assistant.objects.update(style=style))
    # The second one's answer is the first one's, from the cache.
    for _ in range(2):
        customer = await answered(shop, question)
        writing = [frame for frame in customer.frames if frame["type"] == "phase" and frame["phase"] == "writing"]
        assert [frame["format"] for frame in writing] == told
        assert [message["format"] for message in customer.messages.values()] == ["plain", stored]


def test_every_style_has_a_format() -> None:
    markdown = {style for style in AnswerStyle if format_of(style) is TextFormat.MARKDOWN}
    assert markdown == {AnswerStyle.GENERATE, AnswerStyle.FREE}

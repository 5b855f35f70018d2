"""A quote in another language gets a translation beside it: checked, bounded in time, and never in the answer's way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from conversations.models import Assistant, Message
from conversations.queries import describe_message, transcript
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering import translating
from inference_worker.answering.further import FurtherStages
from inference_worker.answering.means import Means
from inference_worker.answering.results import Asked
from inference_worker.engine.contract import EngineError
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.runtime import Runtime
from tests.factories import make_tenant
from tests.integration.inference_worker.conftest import publish
from tests.integration.inference_worker.test_further_stages import answered
from tracing.content import TraceContent
from tracing.report import opened_report

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "How many working days does express delivery take?"
SOURCE = "Express delivery takes one working day and costs nine euros."
TRANSLATION = "加急配送需要一个工作日，费用为九欧元。"


@pytest.fixture
def shop(worker: Runtime) -> Tenant:
    """A tenant whose one article is one sentence, so that just this is quoted."""
    tenant = make_tenant("mossgate-test", name="Mossgate")
    publish(tenant, "Express delivery", SOURCE)
    return tenant


@pytest.fixture
def writer(engine: ScriptedEngine, shop: Tenant) -> Iterator[ScriptedEngine]:
    """The worker's engine as one that writes both languages, and a gate that lets every quote pass."""
    with tenant_atomic(shop.id):
        Assistant.objects.update(refusal_gate={"threshold": 0.0}, style="quote")
    texts, writes = engine.texts, engine.writes
    engine.texts, engine.writes = [TRANSLATION], ("en", "zh")
    yield engine
    engine.texts, engine.writes = texts, writes


def in_chinese(asked: Asked, means: Means) -> Asked:
    """As if it had been asked in Chinese, of which the scripted models understand nothing."""
    return replace(asked, language="zh")


def ask(worker: Runtime, shop: Tenant) -> tuple[Message, TraceContent]:
    return answered(worker, shop, FurtherStages(asked=(in_chinese,)), QUESTION)


def described(shop: Tenant, message: Message) -> dict[str, Any]:
    with tenant_atomic(shop.id):
        return describe_message(next(each for each in transcript(message.conversation_id) if each.id == message.id))


def note_of(content: TraceContent) -> tuple[str, dict[str, float]]:
    (note,) = [each for each in content.stages if each.stage == "translate"]
    return note.verdict, note.figures


def test_both_are_stored_and_shown_and_stand_in_the_trace(
    worker: Runtime, shop: Tenant, writer: ScriptedEngine
) -> None:
    message, content = ask(worker, shop)
    assert (SOURCE in message.body, TRANSLATION in message.body) == (True, False)
    (source,) = message.sources
    assert source["translation"] == TRANSLATION
    shown = described(shop, message)
    assert (shown["translation"], shown["sources"][0]["translation"], shown["note"]) == (
        TRANSLATION,
        TRANSLATION,
        "这篇帮助文章是英文的：",
    )
    (translation,) = content.translations
    assert (translation.text, translation.language, translation.reason) == (TRANSLATION, "zh", "")
    assert note_of(content) == ("all_translated", {"quotes": 1.0, "translated": 1.0})
    assert "translate" in [step.name for step in content.steps]
    (row,) = opened_report(content, finish_reason="stop").translations
    assert (row.source, row.text, row.reason) == (SOURCE, TRANSLATION, "")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (TRANSLATION.replace("九", "八"), "number"),
        ("加急配送不需要一个工作日，费用为九欧元。", "negation"),
        (SOURCE, "language"),
    ],
)
def test_one_that_changes_what_the_article_says_is_kept_from_the_customer(
    worker: Runtime, shop: Tenant, writer: ScriptedEngine, written: str, reason: str
) -> None:
    writer.texts = [written]
    message, content = ask(worker, shop)
    assert SOURCE in message.body
    assert "translation" not in message.sources[0]
    assert described(shop, message)["translation"] == ""
    (translation,) = content.translations
    assert (translation.text, translation.reason) == (written, reason)
    assert note_of(content) == ("not_all_translated", {"quotes": 1.0, "translated": 0.0, reason: 1.0})


def test_an_engine_that_does_not_write_the_language_is_not_asked(
    worker: Runtime, shop: Tenant, writer: ScriptedEngine
) -> None:
    writer.writes = ("en",)
    message, content = ask(worker, shop)
    assert SOURCE in message.body
    assert (content.translations, len(writer.requests)) == ((), 1)


def test_a_quote_in_the_customers_language_is_not_translated(
    worker: Runtime, shop: Tenant, writer: ScriptedEngine
) -> None:
    _, content = answered(worker, shop, FurtherStages(), QUESTION)
    assert (content.translations, len(writer.requests)) == ((), 1)


def test_a_late_translation_costs_no_answer_and_ends_in_the_engine(
    worker: Runtime, shop: Tenant, writer: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translating, "SPARE_SECONDS", 10_000.0)
    message, content = ask(worker, shop)
    assert SOURCE in message.body
    assert note_of(content) == ("not_all_translated", {"quotes": 1.0, "translated": 0.0, "late": 1.0})


def test_an_engine_that_fails_at_it_costs_no_answer(
    worker: Runtime, shop: Tenant, writer: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise EngineError("gone", retryable=True)

    monkeypatch.setattr(translating, "_write", fail)
    message, content = ask(worker, shop)
    assert SOURCE in message.body
    assert note_of(content) == ("not_all_translated", {"quotes": 1.0, "translated": 0.0, "failed": 1.0})

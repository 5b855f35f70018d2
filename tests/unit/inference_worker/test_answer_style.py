"""Which style an answer has: the assistant's own, or by what the model writes in the question's language."""

from __future__ import annotations

from uuid import uuid4

import pytest

from conversations.models import AnswerStyle, Assistant
from inference_worker.answering.composing import resolve_style
from inference_worker.answering.records import engine_record
from inference_worker.engine.scripted import ScriptedEngine


@pytest.mark.parametrize(
    ("can_generate_freely", "writes", "language", "expected"),
    [
        (True, ("en", "zh"), "zh", AnswerStyle.GENERATE),
        (True, ("en",), "en", AnswerStyle.GENERATE),
        (True, ("en",), "zh", AnswerStyle.QUOTE),
        (True, (), "en", AnswerStyle.QUOTE),
        (False, ("en", "zh"), "en", AnswerStyle.QUOTE),
    ],
)
def test_the_automatic_style_writes_only_languages_that_the_model_writes(
    can_generate_freely: bool, writes: tuple[str, ...], language: str, expected: AnswerStyle
) -> None:
    engine = ScriptedEngine(can_generate_freely=can_generate_freely, writes=writes).info()
    assert resolve_style(Assistant(tenant_id=uuid4(), style=AnswerStyle.AUTOMATIC), engine, language) is expected


@pytest.mark.parametrize("style", [AnswerStyle.GENERATE, AnswerStyle.QUOTE])
def test_a_style_that_was_chosen_is_kept_whatever_the_model_writes(style: AnswerStyle) -> None:
    for engine in (ScriptedEngine(), ScriptedEngine(can_generate_freely=True, writes=("en", "zh"))):
        assert resolve_style(Assistant(tenant_id=uuid4(), style=style), engine.info(), "zh") is style


def test_a_trace_keeps_the_engine_without_what_chose_the_style() -> None:
    record = engine_record(ScriptedEngine(can_generate_freely=True, writes=("en",)).info())
    assert record.model == "scripted"
    assert not hasattr(record, "writes")

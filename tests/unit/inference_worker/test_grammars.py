"""Schemas tried in a process of their own: what works passes, what would run for ever or take all memory ends there."""

from __future__ import annotations

import time
from typing import Any

import pytest

from inference_worker.engine import grammars
from inference_worker.engine.contract import RequestRefused
from inference_worker.engine.grammars import require_grammar

TREE = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]},
        {"type": "object", "additionalProperties": True},
        {"enum": ["EUR", "USD", 5, None]},
        {"type": "string", "pattern": "^(a+)+$"},
        {"type": "array", "items": {"type": "number", "multipleOf": 0.01}, "minItems": 2, "maxItems": 900},
        TREE,
    ],
)
def test_what_an_answer_can_be_held_to_passes(schema: dict[str, Any]) -> None:
    require_grammar(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]},
        {"not": {"type": "string"}},
        {"type": "string", "pattern": "(open"},
        {"type": "array", "items": {"type": "string"}, "maxItems": 1_000_000_000},
        {"type": "integer", "multipleOf": 99_999_989},
        {"$ref": "https://example.com/schema.json"},
    ],
    ids=["itself", "endless", "keyword", "pattern", "memory", "time", "elsewhere"],
)
def test_what_no_grammar_is_made_of_is_refused_within_its_limits(schema: dict[str, Any]) -> None:
    begun = time.process_time()
    with pytest.raises(RequestRefused):
        require_grammar(schema)
    assert time.process_time() - begun < 5


def test_a_schema_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"type": "object", "properties": {"tried": {"const": "once"}}}
    require_grammar(schema)
    monkeypatch.setattr(grammars, "PROGRAM", "/nowhere")
    require_grammar(schema)

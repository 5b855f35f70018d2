"""Schemas that are refused before the engine sees them, each with a sentence and in no time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from chat_requests.errors import InvalidJsonSchema
from chat_requests.json_schemas import check_schema

PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def nested(depth: int, kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema} if kind == "array" else {"anyOf": [schema]}
    return schema


def chained(length: int) -> dict[str, Any]:
    """Each definition requires the next; the last one requires the first."""
    parts = {f"d{n}": {"$ref": f"#/$defs/d{(n + 1) % length}"} for n in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": parts}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        PERSON,
        {"type": ["string", "null"], "maxLength": 200},
        {
            "type": "object",
            "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
            "required": ["children"],
        },
        {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, "required": ["next"]},
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"enum": [1, 2]}}},
        {"$ref": "#/definitions/person", "definitions": {"person": PERSON}},
        {"anyOf": [{"$ref": "#/anyOf/1"}, PERSON]},
        {"allOf": [PERSON, {"properties": {"age": {"type": "integer", "minimum": 0}}}]},
        {"type": "number", "multipleOf": 0.0001},
        {"type": "array", "prefixItems": [PERSON, True], "items": False, "minItems": 2.0},
        {"type": "object", "additionalProperties": {"$ref": "#"}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/a", **PERSON},
        nested(10, "array"),
    ],
)
def test_ordinary_schemas_pass(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
        {"type": "array", "prefixItems": [{"$ref": "#"}], "minItems": 1},
        {"anyOf": [{"$ref": "#"}, {"$ref": "#/anyOf/0"}]},
        chained(400),
        {"$ref": "#/$defs/none"},
        {"$ref": "https://example.com/a.json"},
        {"$ref": "#name"},
        {"$ref": "#/required", "required": ["a"]},
        {"$ref": "#/examples/0", "examples": [{"$ref": "#"}]},
        nested(40, "array"),
        nested(400, "anyOf"),
        {"enum": list(range(1001))},
        {"type": "string", "pattern": "a" * 501},
        {"type": "string", "minLength": 10_001},
        {"type": "array", "minItems": 1_000_000},
        {"type": "array", "maxItems": 10**9},
        {"type": "integer", "multipleOf": 99_999_989},
        {"type": "number", "multipleOf": 0.123456},
        {"type": "object", "maxProperties": 10**300},
        {"not": PERSON},
        {"if": PERSON, "then": PERSON},
        {"type": "array", "uniqueItems": True},
        {"type": "object", "dependentRequired": {"a": ["b"]}},
        {"properties": {"a": {"$id": "https://example.com/b"}}},
        {"properties": {f"p{n}": PERSON for n in range(300)}},
        {"type": 7},
        {"properties": []},
        {"definitions": 5, "type": "thing"},
    ],
)
def test_what_no_answer_can_be_held_to_is_refused_quickly(schema: dict[str, Any]) -> None:
    begun = time.process_time()
    with pytest.raises(InvalidJsonSchema) as caught:
        check_schema(schema)
    assert time.process_time() - begun < 10
    assert (caught.value.status, caught.value.details["parameter"]) == (400, "response_format")
    assert len(str(caught.value.message)) > 20

"""A smallest JSON text that a schema permits: what the scripted engine answers where a real one is guided by a grammar."""

from __future__ import annotations

import json
from typing import Any

EXAMPLES: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}


def example_text(schema: dict[str, Any]) -> str:
    """The example as compact JSON."""
    return json.dumps(_example(schema, schema), ensure_ascii=False, separators=(",", ":"))


def _example(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(_resolve(schema["$ref"], root), root)
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return values[0]
    if branches := schema.get("anyOf") or schema.get("oneOf"):
        return _example(branches[0], root)
    kinds = schema.get("type", "object")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        return {name: _example(part, root) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [_example(schema.get("items", {}), root)] * max(schema.get("minItems", 1), 1)
    return EXAMPLES[kind]


def _resolve(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    """The part of the schema that a local reference such as `#/$defs/person` names."""
    part = root
    for name in reference.removeprefix("#/").split("/"):
        part = part[name]
    return part

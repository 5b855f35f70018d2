"""Which JSON schemas an answer can be held to: small, closed in themselves, and with an end. Checked before the engine sees one.

The engine turns a schema into a grammar, one state machine for all of it; some short schemas have an endless or a huge one.
What is refused here costs nobody anything; what passes is still compiled under a limit first (inference_worker.engine.grammars).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from chat_requests.errors import InvalidJsonSchema
from chat_requests.schema_endings import has_end

MAX_BYTES = 16 * 1024
MAX_DEPTH = 32
MAX_ENUM_VALUES = 1000
MAX_PATTERN_CHARACTERS = 500
# The grammar counts up to each of these: to so many it counts in milliseconds.
MOST: Mapping[str, int] = {
    "minItems": 1000,
    "maxItems": 1000,
    "minProperties": 1000,
    "maxProperties": 1000,
    "minLength": 10_000,
    "maxLength": 10_000,
    "multipleOf": 1000,
}
# What restricts a text in a way that no grammar of the engine's has.
UNKNOWN_TO_THE_ENGINE = frozenset(
    {
        "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies", "uniqueItems", "contains",
        "minContains", "maxContains", "propertyNames", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef",
        "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$anchor",
    }
)  # fmt: skip
MAPS = ("properties", "patternProperties", "$defs", "definitions")
LISTS = ("prefixItems", "anyOf", "oneOf", "allOf")
SINGLES = ("items", "additionalProperties")


def check_schema(schema: dict[str, Any]) -> None:
    """Raises InvalidJsonSchema with a sentence that says what is wrong."""
    _check_depth(schema)
    if len(json.dumps(schema)) > MAX_BYTES:
        raise InvalidJsonSchema(_("The schema can have up to %(limit)d bytes.") % {"limit": MAX_BYTES})
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError):
        raise InvalidJsonSchema(_("“response_format” doesn't contain a valid JSON schema.")) from None
    nodes = list(_nodes(schema))
    targets = {node["$ref"]: _target(schema, node["$ref"]) for node in nodes if "$ref" in node}
    known = set(map(id, nodes))
    if not all(isinstance(target, bool) or id(target) in known for target in targets.values()):
        raise InvalidJsonSchema(_("A “$ref” in the schema points to something that isn't a schema."))
    enum_values = 0
    for node in nodes:
        _check_keywords(node, is_root=node is schema)
        enum_values += len(node.get("enum", ()))
    if enum_values > MAX_ENUM_VALUES:
        raise InvalidJsonSchema(_("The schema can have up to %(limit)d values in “enum”.") % {"limit": MAX_ENUM_VALUES})
    if not has_end(schema, nodes, targets):
        raise InvalidJsonSchema(
            _("The schema never ends: a “$ref” leads back to itself. Make the recursive part optional.")
        )


def _check_depth(schema: object) -> None:
    """Level by level: a walk that calls itself would need the depth that it looks for."""
    level = [schema]
    for _depth in range(MAX_DEPTH):
        level = [
            part
            for value in level
            if isinstance(value, dict | list)
            for part in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise InvalidJsonSchema(_("The schema can be nested up to %(limit)d levels deep.") % {"limit": MAX_DEPTH})


def _nodes(schema: object) -> Iterator[dict[str, Any]]:
    """Every schema in it that is an object."""
    if not isinstance(schema, dict):
        return
    yield schema
    for name in MAPS:
        if isinstance(parts := schema.get(name), dict):
            for part in parts.values():
                yield from _nodes(part)
    for name in LISTS:
        for part in schema.get(name, ()):
            yield from _nodes(part)
    for name in SINGLES:
        yield from _nodes(schema.get(name))


def _check_keywords(node: Mapping[str, Any], *, is_root: bool) -> None:
    for name, value in node.items():
        if name in UNKNOWN_TO_THE_ENGINE or (name == "$id" and not is_root):
            raise InvalidJsonSchema(_("The schema keyword “%(name)s” isn't supported. Remove it.") % {"name": name})
        if name in MOST and _size(value) > MOST[name]:
            raise InvalidJsonSchema(
                _("“%(name)s” can be at most %(limit)d in a schema.") % {"name": name, "limit": MOST[name]}
            )
    if len(node.get("pattern", "")) > MAX_PATTERN_CHARACTERS:
        raise InvalidJsonSchema(
            _("A schema's “pattern” can have up to %(limit)d characters.") % {"limit": MAX_PATTERN_CHARACTERS}
        )


def _size(value: float) -> int:
    """The number, or that of its last places: 0.25 has 25."""
    digits = Decimal(str(value)).normalize()
    return int(digits.scaleb(-int(min(digits.as_tuple().exponent, 0))))


def _target(root: dict[str, Any], reference: str) -> object:
    """What a reference within the schema names."""
    part: Any = root
    if not reference.startswith("#"):
        raise InvalidJsonSchema(_("A “$ref” in the schema must start with “#” and point to a part of this schema."))
    for name in filter(None, reference[1:].split("/")):
        key = name.replace("~1", "/").replace("~0", "~")
        if isinstance(part, dict) and key in part:
            part = part[key]
        elif isinstance(part, list) and key.isascii() and key.isdigit() and len(key) < 6 and int(key) < len(part):
            part = part[int(key)]
        else:
            raise InvalidJsonSchema(_("A “$ref” in the schema points to a part that doesn't exist."))
    return part

"""Whether a JSON schema permits any finite text at all: one whose required part requires itself again does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Ends = Callable[[object], bool]


def has_end(schema: dict[str, Any], nodes: Sequence[dict[str, Any]], targets: Mapping[str, object]) -> bool:
    """`nodes` are all schemas in it, `targets` what each `$ref` names.

    Least fixed point: an end is found from the leaves upwards, until no further schema gets one.
    """
    ending: set[int] = set()

    def ends(part: object) -> bool:
        return not isinstance(part, dict) or id(part) in ending

    left = list(nodes)
    while True:
        # From behind and from the front in turns, so that a chain needs few rounds in whichever order it is written.
        left.reverse()
        still = []
        for node in left:
            if _may_end(node, targets, ends):
                ending.add(id(node))
            else:
                still.append(node)
        if id(schema) in ending:
            return True
        if len(still) == len(left):
            return False
        left = still


def _may_end(node: Mapping[str, Any], targets: Mapping[str, object], ends: Ends) -> bool:
    if "$ref" in node and not ends(targets[node["$ref"]]):
        return False
    if not all(map(ends, node.get("allOf", ()))):
        return False
    for name in ("anyOf", "oneOf"):
        if name in node and not any(map(ends, node[name])):
            return False
    return "const" in node or "enum" in node or any(_kind_ends(kind, node, ends) for kind in _kinds(node))


def _kinds(node: Mapping[str, Any]) -> list[str]:
    kinds = node.get("type", "null")
    return [kinds] if isinstance(kinds, str) else kinds


def _kind_ends(kind: str, node: Mapping[str, Any], ends: Ends) -> bool:
    if kind == "object":
        properties = node.get("properties", {})
        return all(ends(properties.get(name, True)) for name in node.get("required", ()))
    if kind == "array" and node.get("minItems", 0) > 0:
        items = [*node.get("prefixItems", ()), node.get("items", True)]
        return all(ends(item) for item in items[: int(node["minItems"])])
    return True

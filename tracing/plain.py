"""Frozen dataclasses to plain JSON values and back, by their annotations."""

from __future__ import annotations

import math
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Malformed(ValueError):
    """A value does not have the shape of its annotation. Names the place, never the value."""


def to_plain(value: Any) -> Any:
    """Dictionaries, lists, strings, numbers, booleans and None. Raises Malformed for anything else."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: to_plain(getattr(value, name)) for name in _fields(type(value))}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if value is None or type(value) in (str, bool, int) or (type(value) is float and math.isfinite(value)):
        return value
    raise Malformed(f"a {type(value).__name__} cannot be recorded")


def from_plain(kind: type[T], value: Any) -> T:
    """A `kind` from what `to_plain` made of it; an absent field takes its default. Raises Malformed."""
    return cast(T, _build(kind, value, kind.__name__))


@cache
def _fields(kind: type[Any]) -> dict[str, tuple[Any, bool]]:
    """Name -> (annotation, whether it must be there)."""
    hints = get_type_hints(kind)
    return {
        field.name: (hints[field.name], field.default is MISSING and field.default_factory is MISSING)
        for field in fields(kind)
    }


def _build(kind: Any, value: Any, place: str) -> Any:
    if is_dataclass(kind):
        return _build_dataclass(kind, value, place)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return None if value is None else _build(inner, value, place)
    if origin is tuple:
        return _build_tuple(arguments, _expect(list, value, place), place)
    if origin is dict:
        return {key: _build(arguments[1], item, place) for key, item in _expect(dict, value, place).items()}
    if kind is float and type(value) is int:
        return float(value)
    return _expect(kind, value, place)


def _build_dataclass(kind: Any, value: Any, place: str) -> Any:
    given = _expect(dict, value, place)
    known = _fields(kind)
    absent = [name for name, (_, required) in known.items() if required and name not in given]
    if absent:
        raise Malformed(f"{place} lacks {', '.join(absent)}")
    built = {name: _build(hint, given[name], f"{place}.{name}") for name, (hint, _) in known.items() if name in given}
    return kind(**built)


def _build_tuple(arguments: tuple[Any, ...], items: list[Any], place: str) -> tuple[Any, ...]:
    if arguments[-1] is Ellipsis:
        return tuple(_build(arguments[0], item, place) for item in items)
    if len(items) != len(arguments):
        raise Malformed(f"{place} has {len(items)} entries instead of {len(arguments)}")
    return tuple(_build(kind, item, place) for kind, item in zip(arguments, items, strict=True))


def _expect(kind: type[T], value: Any, place: str) -> T:
    if type(value) is not kind:
        raise Malformed(f"{place} is a {type(value).__name__} instead of a {kind.__name__}")
    return value

"""Single fields of a JSON object, checked strictly: a number in quotes is a mistake of the caller's, not a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from conversations.validation import CONTROLS
from helpdesk.errors import InvalidInput


def flag(body: Mapping[str, Any], name: str, *, default: bool, prefix: str = "") -> bool:
    """True or false; absent and null are the default."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidInput(_("“%(name)s” must be true or false.") % {"name": prefix + name}, parameter=prefix + name)
    return value


def number(body: Mapping[str, Any], name: str) -> float | None:
    """A number; None when absent or null."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(_("“%(name)s” must be a number.") % {"name": name}, parameter=name)
    # Every number of a body fits: helpdesk.api.json_body refuses the others.
    return float(value)


def integer(body: Mapping[str, Any], name: str) -> int | None:
    """A whole number; None when absent or null."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput(_("“%(name)s” must be a whole number.") % {"name": name}, parameter=name)
    return value


def text(body: Mapping[str, Any], name: str, *, limit: int, required: bool = False) -> str:
    """A text of at most `limit` characters on one line; empty when absent or null, unless required."""
    value = body.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value):
        raise InvalidInput(_("“%(name)s” must be a text.") % {"name": name}, parameter=name)
    if len(value) > limit or CONTROLS.search(value) or not {"\n", "\t"}.isdisjoint(value):
        raise InvalidInput(
            _("“%(name)s” takes at most %(limit)d characters and no control characters.")
            % {"name": name, "limit": limit},
            parameter=name,
        )
    return value

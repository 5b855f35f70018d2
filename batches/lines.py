"""A submission's bytes as numbered lines: JSONL, or one JSON object with `items`. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.utils.translation import gettext as _

from helpdesk.errors import InvalidInput

SUBMISSION_MEMBERS = frozenset({"name", "defaults", "items"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line as parsed. `number` counts from 1; `broken` says why it could not be parsed."""

    number: int
    value: Any
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """What was sent, not yet checked."""

    lines: Sequence[Line]
    name: object = ""
    defaults: object = field(default_factory=dict)


def read_jsonl(body: bytes, *, name: object = "") -> Submission:
    """One item a line; blank lines are skipped but counted."""
    lines = []
    for number, raw in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            lines.append(Line(number, _parsed(raw)))
        except InvalidInput as error:
            lines.append(Line(number, None, str(error.message)))
    return Submission(lines, name)


def read_json(body: bytes) -> Submission:
    """`{"items": [...], "name": …, "defaults": {...}}`. Raises InvalidInput."""
    value = _parsed(body)
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        raise InvalidInput(_("Send an object with a list “items”, or one item a line as application/x-ndjson."))
    if unknown := sorted(value.keys() - SUBMISSION_MEMBERS):
        shown = unknown[0][:40]
        raise InvalidInput(_("“%(name)s” is not known here. Leave it out.") % {"name": shown}, parameter=shown)
    lines = [Line(number, item) for number, item in enumerate(value["items"], start=1)]
    return Submission(lines, value.get("name", ""), value.get("defaults", {}))


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # Without the cause, which may quote the text.
        raise InvalidInput(_("This is not valid JSON in UTF-8.")) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)

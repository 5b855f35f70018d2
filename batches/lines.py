"""A submission's bytes as numbered lines: JSONL, or one JSON object with `items`. Pure.

Lines are parsed one by one as they are asked for, so that whoever checks them can stop at the hundredth mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from batches.errors import TooManyItems
from helpdesk.api.json_body import BODY_BYTES, UnreadableBody, read_json_body
from helpdesk.errors import InvalidInput

SUBMISSION_MEMBERS = frozenset({"name", "defaults", "items"})
MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One line as parsed. `number` counts from 1; `broken` says why it could not be parsed."""

    number: int
    value: Any
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """What was sent, not yet checked. The lines can be gone through once."""

    lines: Iterable[Line]
    name: object = ""
    defaults: object = field(default_factory=dict)


def read_jsonl(body: bytes, *, name: object = "") -> Submission:
    """One item a line; blank lines are skipped but counted. Raises TooManyItems before anything is parsed."""
    # With a blank line between any two, and one at the end.
    if body.count(b"\n") > 2 * settings.BATCH_MAX_ITEMS:
        raise TooManyItems(limit=settings.BATCH_MAX_ITEMS)
    return Submission(_lines(body.removeprefix(MARK).split(b"\n")), name)


def read_json(body: bytes) -> Submission:
    """`{"items": [...], "name": …, "defaults": {...}}`. Raises InvalidInput or TooManyItems."""
    value = read_json_body(body)
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        raise InvalidInput(_("Send an object with an “items” list, or one item per line as application/x-ndjson."))
    if unknown := sorted(value.keys() - SUBMISSION_MEMBERS):
        shown = unknown[0][:40]
        raise InvalidInput(_("“%(name)s” isn't supported here. Remove it.") % {"name": shown}, parameter=shown)
    if len(value["items"]) > settings.BATCH_MAX_ITEMS:
        raise TooManyItems(limit=settings.BATCH_MAX_ITEMS)
    lines = (Line(number, item) for number, item in enumerate(value["items"], start=1))
    return Submission(lines, value.get("name", ""), value.get("defaults", {}))


def _lines(raws: Iterable[bytes]) -> Iterator[Line]:
    for number, raw in enumerate(raws, start=1):
        if raw and not raw.isspace():
            yield _parsed(number, raw)


def _parsed(number: int, raw: bytes) -> Line:
    if len(raw) > BODY_BYTES:
        return Line(number, None, _("A line can have up to %(limit)d bytes.") % {"limit": BODY_BYTES})
    try:
        return Line(number, read_json_body(raw))
    except UnreadableBody as error:
        if error.message is UnreadableBody.message:
            return Line(number, None, _("This isn't valid UTF-8 JSON."))
        return Line(number, None, str(error.message))

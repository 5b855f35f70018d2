"""Reading clients' frames: size, shape and number are limited before anything else looks at them."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from helpdesk.errors import InvalidInput
from helpdesk.streams.entries import order

FRAME_BYTES = 64 * 1024
UUID_TEXT = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def parse_frame(text: str | None, binary: bytes | None) -> dict[str, Any]:
    """The frame's object; raises InvalidInput for anything but a JSON object with a text `type`."""
    if binary is not None or text is None:
        raise InvalidInput(_("Only text frames are supported."))
    if len(text.encode("utf-8", "surrogatepass")) > FRAME_BYTES:
        raise InvalidInput(_("This frame is too large; the limit is 64 KiB. Shorten the message."))
    try:
        frame = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError) as error:  # also a number with more digits than Python reads
        raise InvalidInput(_("This frame is not valid JSON.")) from error
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        raise InvalidInput(_("A frame is a JSON object with a type."))
    return frame


def _refuse_constant(name: str) -> None:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(name)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; what has the same name twice means one thing to one reader and another to the next."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def frame_uuid(frame: dict[str, Any], name: str) -> UUID:
    """A UUID field of the frame; raises InvalidInput."""
    value = frame.get(name)
    if not isinstance(value, str) or not UUID_TEXT.fullmatch(value):
        raise InvalidInput(_("%(name)s must be a UUID.") % {"name": name})
    return UUID(value)


def cursor_of(raw: str) -> str | None:
    """A cursor that a client came back with; None for what Redis would not take for one of its own."""
    try:
        order(raw)
    except ValueError:
        return None
    return raw

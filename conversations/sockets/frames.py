"""Reading clients' frames: size, shape and number are limited before anything else looks at them."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from helpdesk.errors import InvalidInput

FRAME_BYTES = 64 * 1024


def parse_frame(text: str | None, binary: bytes | None) -> dict[str, Any]:
    """The frame's object; raises InvalidInput for anything but a JSON object with a text `type`."""
    if binary is not None or text is None:
        raise InvalidInput(_("Only text frames are understood."))
    if len(text.encode("utf-8", "surrogatepass")) > FRAME_BYTES:
        raise InvalidInput(_("This frame is too large; the limit is 64 KiB. Shorten the message."))
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError) as error:  # also a number with more digits than Python reads
        raise InvalidInput(_("This frame is not valid JSON.")) from error
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        raise InvalidInput(_("A frame is a JSON object with a type."))
    return frame


def frame_uuid(frame: dict[str, Any], name: str) -> UUID:
    """A UUID field of the frame; raises InvalidInput."""
    try:
        return UUID(frame[name])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(_("%(name)s must be a UUID.") % {"name": name}) from error

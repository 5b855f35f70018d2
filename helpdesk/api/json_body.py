"""JSON bodies, read once for every API: what PostgreSQL, a double or an answer in UTF-8 cannot hold is refused here."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import GlassdeskError, InvalidInput

BODY_BYTES = 1024 * 1024
# Each value takes some 60 bytes of memory, however short it is written.
MAX_VALUES = 1_500_000
# From so many digits on a number may be more than a double holds.
_LONG_NUMBER = re.compile(rb"(?<![0-9])[0-9]{300}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class UnreadableBody(InvalidInput):
    """The body is not what its content type says."""

    code = "unreadable_body"
    message = _("The body isn't valid JSON. Check it and send it again.")


class BodyTooLarge(GlassdeskError):
    """More bytes than this endpoint takes; `limit` says how many it does."""

    code = "body_too_large"
    status = 413

    def __init__(self, *, limit: int) -> None:
        super().__init__(
            _("The body is larger than %(limit)d bytes. Send less at a time.") % {"limit": limit}, limit=limit
        )


def read_json_body(body: bytes) -> Any:
    """The value. Raises UnreadableBody; its sentence never quotes the text."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MAX_VALUES:
        raise UnreadableBody(_("Too many values at once. Split them up."))
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_finite_integer if _LONG_NUMBER.search(body) else None,
        )
        if _SURROGATE.search(body):
            # Half a pair of surrogates is no text: it fits into no answer, no row and no log.
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UnreadableBody(
            _(
                "The text contains half of a surrogate pair, which isn't a valid character. Remove it and send the "
                "rest again."
            )
        ) from None
    except OverflowError:
        raise UnreadableBody(_("A number is too large. Send one that fits a double.")) from None
    except (ValueError, RecursionError):
        # Without the cause, which may quote the text.
        raise UnreadableBody from None
    return value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise OverflowError
    return number


def _finite_integer(text: str) -> int:
    _finite(text)
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
